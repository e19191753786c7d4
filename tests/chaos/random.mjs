// Random deaths and sleeps of shims, Kafka and Redis, drawn from a seed: the same seed draws the same
// plan again. The consumer and the sink behind it are well and follow all along.
//
// Runs share Kafka, and some dozens of them topics and consumer; Redis and the shims are each run's own.

import { draw } from '../support/random.mjs';
import { pause } from '../support/wait.mjs';
import { LEASE_MS, Rig, SHORT_LEASE } from './rig.mjs';
import { promises, round, together, verdict } from './verdict.mjs';

const RUNS = 300;
const SHORT_RUNS = 3;
const RUNS_PER_ERA = 25; // that share topics and consumer
const TYPES = ['order_update', 'new_message', 'payment_update', 'user_update', 'coisa_nova'];

// --- the plan: pure ---

// {shims, load, faults: [{at, who, how, length}]}: at and length in ms; one fault at a time for each.
export function plan(seed) {
  const { upTo } = draw(seed);
  const shims = 1 + (upTo(2) === 0 ? 1 : 0);
  const load = {
    rate: 200 + upTo(600),
    batch: 1 + upTo(9),
    lanes: 4 + upTo(12),
    keys: 1 + upTo(3),
    events: TYPES.slice(0, 1 + upTo(TYPES.length - 1)).join(','),
  };
  const faults = shims > 1 && upTo(1) === 0 ? handover(upTo) : [];
  for (let n = 2 + upTo(3); n > 0; n--) faults.push(fault(upTo, shims));
  return { shims, load, faults: apart(faults) };
}

// The first shim falls asleep with a backlog, for so long that the other one adopts it: only after a
// look (5 s apart), a lease that ran out, and another lease time.
function handover(upTo) {
  const at = upTo(500);
  return [
    { at, who: 'kafka', how: 'freeze', length: 1500 },
    { at: at + 900, who: 'shim-1', how: 'freeze', length: 3 * LEASE_MS + 5000 + upTo(1000) },
  ];
}

const LENGTHS = {
  kafka: { kill: 500, freeze: 1500 },
  redis: { kill: 800, freeze: 1200 },
  shim: { kill: 600, freeze: 700 },
};

// One sleep of a shim in four is longer than its lease.
function fault(upTo, shims) {
  const kind = ['kafka', 'redis', 'shim', 'shim'][upTo(3)];
  const who = kind === 'shim' ? `shim-${1 + upTo(shims - 1)}` : kind;
  const how = upTo(kind === 'kafka' ? 3 : 1) === 0 ? 'kill' : 'freeze';
  const past = kind === 'shim' && how === 'freeze' && upTo(3) === 0 ? LEASE_MS : 0;
  return { at: upTo(2000), who, how, length: 50 + past + upTo(LENGTHS[kind][how]) };
}

// Two faults of one part do not overlap.
function apart(faults) {
  const free = new Map();
  return faults
    .sort((a, b) => a.at - b.at)
    .map((f) => {
      const at = Math.max(f.at, free.get(f.who) ?? 0);
      free.set(f.who, at + f.length + 50);
      return { ...f, at };
    });
}

// --- one run ---

const down = (part, how) => (how === 'kill' ? part.kill() : part.freeze());
const up = (part, how) => (how === 'kill' ? part.start() : part.thaw());

const shimAsPart = (shim) => ({
  kill: () => shim.kill(),
  start: () => shim.start({ ready: false }),
  freeze: () => shim.signal('SIGSTOP'),
  thaw: () => shim.signal('SIGCONT'),
});

async function inflict(part, { at, how, length }, began) {
  await pause(at - (performance.now() - began));
  await down(part, how);
  await pause(length);
  await up(part, how);
}

async function wreak(parts, faults) {
  const began = performance.now();
  await Promise.all(
    Object.entries(parts).map(async ([who, part]) => {
      for (const f of faults.filter((one) => one.who === who)) await inflict(part, f, began);
    }),
  );
}

async function oneRun(era, seed) {
  const { shims, load, faults } = plan(seed);
  const rig = await new Rig().open({
    kafka: era.kafka,
    shims,
    prefix: era.prefix,
    env: SHORT_LEASE,
    partitions: 2,
  });
  let sum;
  try {
    const loads = rig.shims.map((shim, i) =>
      rig.load({ ...load, bytes: 200, timeout: 3000, tag: `s${seed}n${i}t${era.turn()}` }, shim),
    );
    await Promise.all(loads.map((l) => l.accepted(20)));
    const shimParts = Object.fromEntries(rig.shims.map((shim) => [shim.name, shimAsPart(shim)]));
    await wreak({ kafka: era.kafka, redis: rig.redis, ...shimParts }, faults);
    const well = performance.now();
    const ends = await Promise.all(loads.map((l) => l.stop()));
    sum = await judge(rig, era, ends, well);
    return { ...sum, faults: faults.length, shims };
  } finally {
    await rig.end({ keep: !sum?.pass });
  }
}

async function judge(rig, era, ends, well) {
  await rig.direct({ within: 20_000 });
  await rig.emptied({ within: 20_000 });
  const recovery = (performance.now() - well) / 1000;
  await era.delivered(rig);
  const topics = await rig.topics();
  const handovers = rig.handovers();
  rig.verify();
  const figures = {
    ...together(ends),
    ...topics,
    foreign: 0, // the topics hold other runs' events, too; the era counts what nobody sent
    dlq: await era.rig.deadLetters(),
    inversions: handovers > 0 ? topics.boot_inversions : topics.inversions,
    missing: rig.missing(),
    lost: topics.lost - rig.missing(),
    handovers,
    recovery_s_max: recovery,
  };
  return verdict(figures, {
    ...promises(figures),
    'nothing reported missing': figures.missing === 0,
    'nothing left unanswered': figures.refused + figures.unknown === 0,
    'all chains whole': topics.holes === 0,
  });
}

// --- all of them ---

// Topics, consumer and sink for some dozens of runs.
class Era {
  async open(kafka) {
    this.kafka = kafka;
    this.rig = await new Rig().open({ kafka, shims: 0, consumer: true, partitions: 2 });
    this.prefix = this.rig.prefix;
    this.turns = 0;
    return this;
  }

  turn() {
    return this.turns++;
  }

  async delivered(run) {
    await this.rig.delivered({ within: 30_000, loads: run.loads });
    this.rig.sink.journal = [];
    this.rig.sink.requests = [];
  }

  end(keep) {
    return this.rig.end({ keep });
  }
}

class Sum {
  all = { runs: 0, failed_seeds: [] };
  recovery = [];

  add(seed, line) {
    const adding = [
      'faults sent accepted refused unknown delivered duplicates inversions missing lost',
      'handovers boots unpromised repeats holes',
    ].flatMap((names) => names.split(' '));
    for (const name of adding) this.all[name] = (this.all[name] ?? 0) + (line[name] ?? 0);
    this.all.dlq = line.dlq ?? 0;
    this.all.runs++;
    this.recovery.push(line.recovery_s_max ?? Infinity);
    if (line.pass) return;
    this.all.failed_seeds.push(seed);
    console.error(`random: seed ${seed} failed: ${JSON.stringify(line)}`);
  }

  tell() {
    const { runs, accepted, delivered, duplicates, lost, handovers, failed_seeds: bad } = this.all;
    console.error(
      `random: ${runs} runs, accepted ${accepted}, delivered ${delivered}, duplicates ${duplicates}, ` +
        `lost ${lost}, hand-overs ${handovers}, failed seeds: ${bad.join(' ') || 'none'}`,
    );
  }
}

export async function runs({ kafka, short, seed, runs: wanted }) {
  const sum = new Sum();
  const total = wanted ?? (short ? SHORT_RUNS : RUNS);
  let era;
  try {
    for (let i = 0; i < total; i++) {
      if (i % RUNS_PER_ERA === 0) {
        await era?.end();
        era = await new Era().open(kafka);
      }
      await kafka.mend();
      sum.add(
        seed + i,
        await oneRun(era, seed + i).catch((err) => ({ pass: false, error: err.stack })),
      );
      if ((i + 1) % 10 === 0 || i + 1 === total) sum.tell();
    }
  } finally {
    await era?.end();
  }
  const figures = {
    seed,
    ...sum.all,
    recovery_s_max: round(Math.max(...sum.recovery)),
    counted_at: 'topics and sink',
  };
  return verdict(figures, { 'every run passes': sum.all.failed_seeds.length === 0 });
}
