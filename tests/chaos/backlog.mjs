// How fast the buffer fills and drains, and what a large one costs.

import fs from 'node:fs';
import { waitFor } from '../support/wait.mjs';
import { Rig, SHORT_LEASE } from './rig.mjs';
import { PATIENCE, promises, round, together, verdict } from './verdict.mjs';

const APPENDS = 50_000; // events a second, each durable in Redis (appendfsync always)
const DRAINS = 100_000; // events a second
const RSS_MB = 64;
const START_S = 2;
const TYPES = 'order_update,new_message,payment_update,user_update';
const LOAD = { batch: 500, lanes: 8, keys: 16, bytes: 300, events: TYPES };
const LARGE = { ESTEIRA_REDIS_BUFFER_BYTES: '4GiB' };

// In short the shim is cut off instead of Kafka killed, which takes its time to start again.
const open = ({ kafka, short }) =>
  new Rig().open({
    kafka,
    env: { ...LARGE, ...(short && SHORT_LEASE) },
    ...(short && { cut: true, partitions: 2 }),
  });

const peakMb = (pid) =>
  Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

// User and system seconds of a process so far; behind the name, which may hold spaces.
function cpuSeconds(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100; // USER_HZ
}

// Kafka has been lost, and the shim knows.
async function buffering(rig) {
  await rig.kafkaAway();
  const { accepted } = await rig.load({ ...LOAD, count: 8, lanes: 8, batch: 1, tag: 'first' }).done;
  await waitFor('all types buffer', async () => !(await rig.isDirect(rig.shims[0])));
  return accepted;
}

async function fill(rig, count) {
  const load = rig.load({ ...LOAD, count, patience: 600, tag: 'fill' });
  return load.done;
}

async function common(rig, ends) {
  const topics = await rig.topics();
  return {
    ...together(ends),
    ...topics,
    dlq: await rig.deadLetters(),
    missing: rig.missing(),
    lost: topics.lost - rig.missing(),
    counted_at: 'topics',
  };
}

// POST in batches, Kafka away: how many a second are durable.
export async function appendRate({ kafka, short }) {
  const rig = await open({ kafka, short });
  let passed = false;
  try {
    await buffering(rig);
    const end = await fill(rig, short ? 10_000 : 500_000);
    const rate = end.accepted / end.seconds;
    const fsync = await rig.redis.ask('CONFIG', 'GET', 'appendfsync');
    const rss = peakMb(rig.shims[0].child.pid);
    await rig.kafkaBack();
    await rig.direct({ within: 120_000 });
    await rig.emptied({ within: 120_000 });
    const figures = {
      faults: 1,
      ...(await common(rig, [end])),
      append_rate: round(rate, 0),
      appendfsync: fsync[1],
      rss_mb: round(rss, 1),
    };
    rig.verify();
    const line = verdict(figures, {
      ...promises(figures),
      'all of it went to Redis': end.buffered === end.accepted,
      ...(!short && { [`${APPENDS} durable events a second`]: rate >= APPENDS }),
    });
    passed = line.pass;
    return line;
  } finally {
    await rig.end({ keep: !passed });
  }
}

// Events handed on a second, between a tenth and nine tenths of the backlog, and the most memory.
async function watchDrain(rig, backlog) {
  const drained = () => rig.metric('esteira_events_drained_total');
  const at = async (share) => {
    await waitFor(
      `${share} of the backlog is handed on; see ${rig.dir}`,
      async () => (await drained()) >= share * backlog,
      { within: 60_000 + backlog / 5, every: 100 },
    );
    return {
      t: performance.now(),
      n: await drained(),
      shim: cpuSeconds(shim),
      redis: cpuSeconds(redis),
    };
  };
  const shim = rig.shims[0].child.pid;
  const redis = rig.redis.child.pid;
  const from = await at(0.02);
  const rssAtFrom = await rig.metric('process_resident_memory_bytes');
  const to = await at(0.98);
  const each = (name) => ((to[name] - from[name]) * 1e6) / (to.n - from.n);
  return {
    rate: ((to.n - from.n) * 1000) / (to.t - from.t),
    shimCpu: each('shim'),
    redisCpu: each('redis'),
    rssAtFrom: rssAtFrom / 2 ** 20,
    rssAtTo: (await rig.metric('process_resident_memory_bytes')) / 2 ** 20,
  };
}

// A shim dies on a large backlog, starts again beside it, and hands it on when Kafka is back.
export async function drainRate({ kafka, short }) {
  const backlog = short ? 20_000 : 2_000_000;
  const rig = await open({ kafka, short });
  const [shim] = rig.shims;
  let passed = false;
  try {
    await buffering(rig);
    const end = await fill(rig, backlog);
    const held = await rig.redis.buffered();
    await shim.kill();
    const started = performance.now();
    await shim.start();
    const ready = (performance.now() - started) / 1000;
    await rig.load({ ...LOAD, count: 500, lanes: 1, tag: 'after' }).done;
    const firstAccepted = (performance.now() - started) / 1000;
    await rig.kafkaBack();
    const up = performance.now();
    const drain = await watchDrain(rig, backlog);
    await rig.emptied({ within: 120_000 });
    const recovery = await rig.direct({ since: up });
    const peak = peakMb(shim.child.pid);
    const figures = {
      faults: 2,
      ...(await common(rig, [end])),
      held_in_redis: held,
      start_s: round(ready),
      first_202_s: round(firstAccepted),
      drain_rate: round(drain.rate, 0),
      shim_cpu_us_event: round(drain.shimCpu, 1),
      redis_cpu_us_event: round(drain.redisCpu, 1),
      rss_mb_early: round(drain.rssAtFrom, 1),
      rss_mb_late: round(drain.rssAtTo, 1),
      rss_mb_peak: round(peak, 1),
      recovery_s_max: round(recovery),
    };
    rig.verify();
    const line = verdict(figures, {
      ...promises(figures),
      'the backlog lay in Redis': held >= backlog,
      [`starts beside it in ${START_S} s`]: firstAccepted < START_S * PATIENCE,
      ...(PATIENCE === 1 && { [`at most ${RSS_MB} MB`]: peak <= RSS_MB }),
      ...(!short && { [`${DRAINS} events a second`]: drain.rate >= DRAINS }),
    });
    passed = line.pass;
    return line;
  } finally {
    await rig.end({ keep: !passed });
  }
}
