// Kafka goes away while events keep coming at a steady rate, and comes back while they still do.

import { pause } from '../support/wait.mjs';
import { Rig } from './rig.mjs';
import { PATIENCE, promises, round, together, verdict } from './verdict.mjs';

const TYPES = 'order_update,new_message,payment_update,user_update';
const TO_DIRECT = 10; // seconds after Kafka is up

// {rate, batch, lanes, seconds: [before, away, after], p99 (ms), consumer, leave, comeBack}
async function outage(kafka, plan) {
  const { consumer, partitions, cut } = plan;
  const rig = await new Rig().open({ kafka, consumer, partitions, cut });
  let passed = false;
  try {
    const { rate, batch, lanes } = plan;
    const [before, away, after] = plan.seconds;
    await warmUp(rig, plan);
    const load = rig.load({ rate, batch, lanes, bytes: 500, events: TYPES });
    await load.accepted(1);
    await pause(before * 1000);
    await plan.leave(rig);
    await pause(away * 1000);
    await plan.comeBack(rig);
    const up = performance.now();
    const recovery = await rig.direct({ within: 60_000, since: up });
    await pause(Math.max(1000, after * 1000 - (performance.now() - up)));
    const line = await account(rig, plan, load, recovery);
    passed = line.pass;
    return line;
  } finally {
    await rig.end({ keep: !passed });
  }
}

// The first records of new topics wait for Kafka to open them, and a broker that was just started
// is slow until its code is compiled: the fault that is judged is the plan's, not that one.
async function warmUp(rig, { rate, warm = 0 }) {
  await rig.load({ count: 400, lanes: 40, batch: 5, events: TYPES, tag: 'warm' }).done;
  if (warm > 0) {
    const load = { rate, count: rate * warm, lanes: 128, batch: 20, events: TYPES };
    await rig.load({ ...load, tag: 'warmer' }).done;
  }
  await rig.direct();
}

async function account(rig, plan, load, recovery) {
  const end = await load.stop();
  await rig.direct();
  await rig.emptied();
  if (plan.consumer) await rig.delivered();
  const topics = await rig.topics();
  const dlq = await rig.deadLetters();
  const figures = {
    faults: 1,
    ...topics, // with what warmed it up
    ...together([end]),
    dlq,
    missing: rig.missing(),
    lost: topics.lost - rig.missing(),
    recovery_s_max: round(recovery),
    counted_at: plan.consumer ? 'topics and sink' : 'topics',
    p99_worst_at_s: round(load.worstAt, 1),
    rate: plan.rate,
    seconds: round(end.seconds, 1),
    rate_reached: round(end.accepted / end.seconds, 0),
    takeovers: await rig.metric('esteira_kafka_takeovers_total'),
    rss_mb: round((await rig.metric('process_resident_memory_bytes')) / 2 ** 20, 1),
  };
  rig.verify();
  return verdict(figures, {
    ...promises(figures),
    'events went through Redis': end.buffered > 0,
    'nothing left unanswered': end.refused + end.unknown === 0,
    'all chains whole': topics.holes === 0,
    'nearly all values say their chain': topics.said_twice > topics.records * 0.98,
    [`p99 of ingest under ${plan.p99} ms in every 5 s`]: end.p99_worst_ms < plan.p99 * PATIENCE,
    [`direct within ${TO_DIRECT} s`]: recovery <= TO_DIRECT * PATIENCE,
  });
}

const kill = { leave: (rig) => rig.kafkaAway(), comeBack: (rig) => rig.kafkaBack() };
const freeze = { leave: (rig) => rig.kafka.freeze(), comeBack: (rig) => rig.kafka.thaw() };

const SLOW = { rate: 200, batch: 1, lanes: 64, p99: 1000, consumer: true };
const FAST = { rate: 20_000, warm: 4, batch: 20, lanes: 128, p99: 1000, consumer: false };

export const slow = ({ kafka, short }) =>
  outage(kafka, {
    ...SLOW,
    ...kill,
    ...(short && { partitions: 2 }),
    seconds: short ? [0.5, 1, 1] : [15, 30, 15],
  });

export const fast = ({ kafka, short }) =>
  outage(kafka, {
    ...FAST,
    ...kill,
    ...(short && { rate: 2000, warm: 0, partitions: 2, cut: true }),
    seconds: short ? [0.5, 1, 1] : [15, 30, 15],
  });

export const frozen = ({ kafka, short }) =>
  outage(kafka, {
    ...FAST,
    ...freeze,
    p99: 2500,
    ...(short && { rate: 2000, warm: 0, partitions: 2 }),
    seconds: short ? [0.5, 2.5, 1] : [10, 20, 20],
  });
