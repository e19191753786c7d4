// The consumer group: members that die, come and go, and a broker that answers nobody.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { program } from '../support/paths.mjs';
import { draw } from '../support/random.mjs';
import { pause, waitFor } from '../support/wait.mjs';
import { onRig } from './delivery_rig.mjs';
import { PATIENCE, promises, round, verdict } from './verdict.mjs';

const run = promisify(execFile);
const TYPES = 'order_update,new_message,payment_update,user_update';
const GOES_ON = 10; // seconds until the partitions of a dead member are delivered again
const PER_KILL = 2000; // duplicates
const ANSWER = { rules: [{ delay_ms: 10 }] }; // so that there is something under way at any time

// What the group committed, against the journal (journal_commits.c).
async function commits(rig) {
  await rig.receiver.counts();
  const args = [rig.kafka.brokers, rig.group, rig.prefix, rig.receiver.journal];
  const { stdout } = await run(program('chaos_commits'), args, { timeout: 300_000 });
  return JSON.parse(stdout);
}

const soundCommits = (sum) => ({
  'commits were made': sum.commits > 0,
  'no committed offset decreases': sum.decreased === 0,
  'no commit passes an unfinished record': sum.passed === 0,
});

// All members are in the group, and what was handed round has come to rest.
const settled = (rig, { within = 30_000 } = {}) =>
  waitFor(
    `the group has settled; see ${rig.dir}`,
    async () => {
      const alive = rig.consumers.filter((consumer) => consumer.running);
      const held = await Promise.all(
        alive.map((consumer) => rig.metric('esteira_partitions_assigned', consumer)),
      );
      return held.every((n) => n > 0);
    },
    { within, every: 100 },
  );

// --- SIGKILL ---

// What comes twice because of one kill: counted from it until the next one.
async function killOne(rig, victim, { short }) {
  const before = (await rig.receiver.counts()).repeats;
  await victim.kill();
  await pause(short ? 500 : 2000);
  await victim.start();
  await settled(rig);
  await pause(short ? 500 : 3000); // what is read again arrives
  return (await rig.receiver.counts()).repeats - before;
}

export const kill = ({ kafka, short, seed, runs }) =>
  onRig({ kafka, consumers: 3, ...(short && { partitions: 3 }) }, async (rig) => {
    const { upTo } = draw(seed);
    const kills = runs ?? (short ? 2 : 20);
    const rate = short ? 2000 : 50_000;
    const duplicates = [];
    await rig.receiver.script(ANSWER);
    await rig.warmUp(TYPES);
    await settled(rig);
    const load = rig.load({ rate, batch: short ? 20 : 100, lanes: 64, keys: 16, events: TYPES });
    await load.accepted(rate);
    for (let i = 0; i < kills; i++)
      duplicates.push(await killOne(rig, rig.consumers[upTo(2)], { short }));
    await load.stop();
    await rig.arrived(rig.loads, { within: 120_000 });
    const figures = { faults: kills, ...(await rig.figures()), ...(await commits(rig)) };
    const backAgain = figures.silence_s_max;
    return verdict(
      {
        ...figures,
        duplicates_of_kills: duplicates,
        rate_reached: round(load.last.accepted / load.last.seconds, 0),
        recovery_s_max: backAgain,
      },
      {
        ...promises(figures),
        ...soundCommits(figures),
        'the rate was reached': short || load.last.accepted / load.last.seconds > 0.95 * rate,
        [`at most ${PER_KILL} duplicates per kill`]: Math.max(...duplicates) <= PER_KILL,
        [`no key silent for more than ${GOES_ON} s`]: backAgain <= GOES_ON * PATIENCE,
      },
    );
  });

// --- members that come and go ---

const MEMBERS = { least: 1, most: 4 };

async function addOrRemove(rig, upTo) {
  const alive = rig.consumers.filter((consumer) => consumer.running);
  const rest = rig.consumers.filter((consumer) => !consumer.running);
  const add = alive.length === MEMBERS.least || (alive.length < MEMBERS.most && upTo(1) === 0);
  if (!add) {
    const { code } = await alive[upTo(alive.length - 1)].stop();
    return code;
  }
  await (rest[0] ?? (await rig.anotherConsumer())).start({ ready: false });
  return 0;
}

export const members = ({ kafka, short, seed }) =>
  onRig({ kafka, consumers: 2, ...(short && { partitions: 3 }) }, async (rig) => {
    const { upTo } = draw(seed);
    const rate = short ? 2000 : 20_000;
    const rounds = short ? 4 : 60;
    const codes = [];
    await rig.receiver.script(ANSWER);
    await rig.warmUp(TYPES);
    await settled(rig);
    const load = rig.load({ rate, batch: 20, lanes: 64, keys: 16, events: TYPES });
    await load.accepted(rate);
    for (let i = 0; i < rounds; i++) {
      const next = performance.now() + (short ? 1500 : 5000);
      codes.push(await addOrRemove(rig, upTo));
      await pause(Math.max(0, next - performance.now()));
    }
    await load.stop();
    await rig.arrived(rig.loads, { within: 120_000 });
    const figures = { faults: rounds, ...(await rig.figures()), ...(await commits(rig)) };
    figures.recovery_s_max = figures.silence_s_max;
    return verdict(figures, {
      ...promises(figures),
      ...soundCommits(figures),
      'planned stops: nothing twice': figures.duplicates === 0,
      'planned stops: exit code 0': codes.every((code) => code === 0),
    });
  });

// --- a broker that answers nobody, in the middle of a revoke ---

// The worst turn of each consumer's loop, asked for so often that the list has percentiles.
async function lags(rig, until) {
  const all = [];
  while (!until()) {
    for (const consumer of rig.consumers.filter((c) => c.running))
      all.push(await rig.metric('esteira_loop_lag_seconds', consumer));
    await pause(50);
  }
  return all.filter(Number.isFinite).sort((a, b) => a - b);
}

export const frozenBroker = ({ kafka, short }) =>
  onRig({ kafka, consumers: 2, ...(short && { partitions: 3 }) }, async (rig) => {
    let over = false;
    await rig.warmUp(TYPES);
    await settled(rig);
    const load = rig.load({ rate: 1000, batch: 5, lanes: 64, events: TYPES });
    await load.accepted(1000);
    const measuring = lags(rig, () => over);
    await (await rig.anotherConsumer()).start({ ready: false }); // the others have to give back
    await pause(300);
    await rig.kafka.freeze();
    await pause(short ? 3000 : 20_000);
    await rig.kafka.thaw();
    await pause(short ? 2000 : 10_000);
    over = true;
    const measured = await measuring;
    await load.stop();
    await rig.arrived(rig.loads, { within: 120_000 });
    const figures = {
      faults: 1,
      ...(await rig.figures()),
      ...(await commits(rig)),
      lag_p99_s: measured[Math.floor(measured.length * 0.99)],
      lag_max_s: measured.at(-1),
      lags: measured.length,
    };
    return verdict(figures, {
      'nothing lost': figures.lost === 0 && figures.dlq === 0,
      'order kept': figures.inversions === 0,
      ...soundCommits(figures),
      'loop lag p99 below 250 ms': figures.lag_p99_s < 0.25 * PATIENCE,
    });
  });
