// Two shims on one Redis, each with its own keys, and the first one behind a proxy that can cut it off
// from Kafka.

import { pause, waitFor } from '../support/wait.mjs';
import { Rig, SHORT_LEASE } from './rig.mjs';
import { promises, round, together, verdict } from './verdict.mjs';

const TYPES = 'order_update,new_message';
const LOAD = { rate: 300, batch: 3, lanes: 12, keys: 4, events: TYPES };

async function open({ kafka, short }, env = {}) {
  const rig = await new Rig().open({
    kafka,
    shims: 2,
    consumer: true,
    env: { ...SHORT_LEASE, ...env },
    cut: ['shim-1'],
    ...(short && { partitions: 2 }),
  });
  return { rig, cut: rig.shims[0], well: rig.shims[1] };
}

async function sum(rig, ends, more) {
  const topics = await rig.topics();
  const missing = rig.missing();
  return {
    ...together(ends),
    ...topics,
    dlq: await rig.deadLetters(),
    missing,
    lost: topics.lost - missing,
    handovers: rig.handovers(),
    counted_at: 'topics and sink',
    ...more,
  };
}

const inRedis = (rig, n) =>
  waitFor(`${n} events in Redis`, async () => (await rig.redis.buffered()) >= n, {
    within: 30_000,
    every: 50,
  });

const adopted = (rig, shim) =>
  waitFor(
    `${shim.name} adopts; logs in ${rig.dir}`,
    async () => (await rig.metric('esteira_buffer_handovers_total', shim)) >= 1,
    { within: 30_000, every: 50 },
  );

// One shim is cut off and buffers while the other one stays direct; then it dies for good, and what it
// left is handed on by the other.
export async function oneCutOff({ kafka, short }) {
  const { rig, cut, well } = await open({ kafka, short });
  let passed = false;
  try {
    const loads = [rig.load(LOAD, cut), rig.load(LOAD, well)];
    await Promise.all(loads.map((load) => load.accepted(300)));
    await rig.kafkaAway();
    await inRedis(rig, short ? 300 : 5000);
    const stayed = await rig.isDirect(well);
    const before = await rig.records();
    const ends = [await loads[0].stop()];
    const left = await rig.redis.buffered();
    await cut.kill();
    const died = performance.now();
    await adopted(rig, well);
    await rig.emptied({ within: 30_000 });
    const recovery = await rig.direct({ since: died });
    await loads[1].more(300);
    ends.push(await loads[1].stop());
    await rig.emptied();
    await rig.delivered();
    const figures = await sum(rig, ends, {
      faults: 2,
      left_in_redis: left,
      records_before: before,
      handovers_metric: await rig.metric('esteira_buffer_handovers_total', well),
      recovery_s_max: round(recovery),
    });
    figures.inversions = figures.boot_inversions;
    rig.verify();
    const line = verdict(figures, {
      ...promises(figures),
      'the other stayed direct': stayed,
      'there was something to adopt': left > 0,
      'the hand-over was counted once': figures.handovers_metric === 1 && figures.handovers === 1,
      'every key has one shim here, so its order is kept': figures.inversions === 0,
      'all chains whole': figures.holes === 0,
    });
    passed = line.pass;
    return line;
  } finally {
    await rig.end({ keep: !passed });
  }
}

// A shim that holds a backlog sleeps past its lease. Another one adopts the backlog and has handed on a
// part of it when the first one wakes and takes new events of the same keys.
export async function frozenAndFenced({ kafka, short }) {
  const backlog = short ? 600 : 3000;
  const rate = backlog / 3;
  const { rig, cut, well } = await open(
    { kafka, short },
    { ESTEIRA_REDIS_DRAIN_RATE: String(rate) },
  );
  let passed = false;
  try {
    const load = rig.load({ ...LOAD, rate, timeout: 2000 }, cut);
    await load.accepted(200);
    await rig.kafkaAway();
    await inRedis(rig, backlog);
    cut.signal('SIGSTOP');
    const slept = performance.now();
    await adopted(rig, well);
    const drained = () => rig.metric('esteira_events_drained_total', well);
    await waitFor('half is handed on', async () => (await drained()) >= backlog / 2, {
      within: 30_000,
    });
    const half = await rig.redis.buffered();
    await rig.kafkaBack();
    cut.signal('SIGCONT');
    await load.more(200);
    const overlap = await rig.redis.buffered();
    await pause(500);
    const ends = [await load.stop()];
    await rig.emptied({ within: 60_000 });
    const recovery = await rig.direct({ since: slept });
    await rig.delivered();
    const figures = await sum(rig, ends, {
      faults: 2,
      backlog,
      left_when_woken: half,
      left_when_new_were_taken: overlap,
      recovery_s_max: round(recovery),
    });
    figures.key_inversions = figures.inversions; // across a hand-over; counted, not kept
    figures.inversions = figures.boot_inversions;
    rig.verify();
    const line = verdict(figures, {
      ...promises(figures),
      'woken in the middle of the drain': half > 0,
      'the hand-over was counted': figures.handovers === 1,
      'the woken one began a new life': figures.boots >= 2,
      'nothing left unanswered': figures.refused + figures.unknown === 0,
    });
    passed = line.pass;
    return line;
  } finally {
    await rig.end({ keep: !passed });
  }
}
