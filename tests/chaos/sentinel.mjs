// Kafka is away, and then the Redis master dies, too, while its replica has not got the last of what it
// acknowledged. With redis.wait_replicas = 1 nothing of that was promised; without, what was promised
// and is gone is named.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pause } from '../support/wait.mjs';
import { Replicas } from './replicas.mjs';
import { Rig } from './rig.mjs';
import { promises, round, together, verdict } from './verdict.mjs';

async function masterDies({ kafka, short, replicas }) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'esteira-sentinel-'));
  const redis = await new Replicas().open(dir);
  const rig = await new Rig().open({
    kafka,
    redis,
    ...(short && { cut: true, partitions: 2 }),
    env: { ESTEIRA_REDIS_WAIT_REPLICAS: String(replicas), ESTEIRA_REDIS_TIMEOUT: '1s' },
  });
  let passed = false;
  try {
    const load = rig.load({
      rate: short ? 500 : 2000,
      batch: 5,
      lanes: 32,
      keys: 4,
      events: 'order_update,new_message',
      patience: 60,
    });
    await load.accepted(200);
    await rig.kafkaAway();
    await load.more(short ? 500 : 10_000);
    await redis.unlink();
    await pause(short ? 300 : 1000); // what is acknowledged now, the replica does not get
    await redis.killMaster();
    const died = performance.now();
    await redis.promoted();
    await redis.revive({ asReplica: short });
    await load.more(short ? 300 : 4000, { within: 40_000 });
    const recovery = (performance.now() - died) / 1000;
    await rig.kafkaBack();
    await rig.direct({ within: 40_000 });
    await load.more(200);
    const line = await account(rig, await load.stop(), { recovery, replicas });
    passed = line.pass;
    return line;
  } finally {
    await rig.end({ keep: !passed });
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

async function account(rig, end, { recovery, replicas }) {
  await rig.emptied();
  const topics = await rig.topics();
  const missing = await rig.metric('esteira_buffer_missing_total');
  const figures = {
    faults: 2,
    ...together([end]),
    ...topics,
    dlq: await rig.deadLetters(),
    missing,
    not_delivered: topics.lost,
    lost: Math.max(0, topics.lost - missing),
    logged_missing: rig.missing(),
    wait_replicas: replicas,
    recovery_s_max: round(recovery),
    counted_at: 'topics',
  };
  rig.verify();
  return verdict(figures, {
    ...promises(figures),
    'nothing left unanswered': figures.refused + figures.unknown === 0,
    'what is missing is reported, exactly': figures.not_delivered === missing,
    'metric and log agree': missing === figures.logged_missing,
    ...(replicas > 0
      ? { 'all that was promised is there': figures.not_delivered === 0 }
      : { 'there was something to miss': missing > 0 }),
  });
}

export const withWait = (context) => masterDies({ ...context, replicas: 1 });
export const withoutWait = (context) => masterDies({ ...context, replicas: 0 });
