// What the old service left in its Redis list: imported, the import killed in the middle, and run again.
// The shim's own Redis stands beside it. Counted at the sink: the ids are the import's.

import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { program } from '../support/paths.mjs';
import { waitFor } from '../support/wait.mjs';
import { Rig } from './rig.mjs';
import { promises, round, verdict } from './verdict.mjs';

const LIST = 'dashboard:events';
const STREAMS = 64;
const MALFORMED = 10;
const ASIDE = 'dashboard-events.set-aside.ndjson';

const entry = (i) => {
  const stream = `pedido-${i % STREAMS}`;
  const payload = { order_id: stream, stream, n: Math.floor(i / STREAMS) + 1 };
  return JSON.stringify({ event: 'order_update', payload });
};

// The malformed ones spread among the others.
function entries(count) {
  const all = Array.from({ length: count }, (_, i) => entry(i));
  for (let k = MALFORMED - 1; k >= 0; k--)
    all.splice(Math.floor(((k + 0.5) * count) / MALFORMED), 0, `{"event":"order_update","no":${k}`);
  return all;
}

const args = (rig, more) => [
  'import-legacy',
  '-c',
  rig.config,
  '--url',
  `http://127.0.0.1:${rig.shims[0].port}`,
  '--json',
  ...more,
];

async function killedInTheMiddle(rig, count) {
  const child = spawn(program('esteira'), args(rig, ['--pushed', 'right']), {
    env: rig.env,
    cwd: rig.dir,
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve(signal)));
  await waitFor('half is imported', async () => (await left(rig)) < count / 2, {
    within: 120_000,
    every: 5,
  });
  child.kill('SIGKILL');
  return (await ended) === 'SIGKILL' && (await left(rig)) > 0;
}

const left = (rig) => rig.redis.ask('LLEN', LIST);

// 65 = all done, some of it set aside.
function again(rig) {
  const options = { env: rig.env, cwd: rig.dir, timeout: 300_000, maxBuffer: 1 << 28 };
  return new Promise((resolve) => {
    execFile(program('esteira'), args(rig, []), options, (error) => resolve(error?.code ?? 0));
  });
}

// First arrivals of each stream, as they came: in order, each once, none missing?
function count(journal) {
  const seen = new Set();
  const next = new Map();
  const sum = { delivered: 0, duplicates: 0, inversions: 0 };
  for (const { id, payload } of journal) {
    if (seen.has(id)) {
      sum.duplicates++;
      continue;
    }
    seen.add(id);
    sum.delivered++;
    const wanted = next.get(payload.stream) ?? 1;
    if (payload.n !== wanted) sum.inversions++;
    next.set(payload.stream, payload.n + 1);
  }
  return sum;
}

export async function imported({ kafka, short }) {
  const wanted = short ? 2000 : 100_000;
  const rig = await new Rig().open({ kafka, consumer: true, ...(short && { partitions: 2 }) });
  let passed = false;
  try {
    const all = entries(wanted);
    for (let i = 0; i < all.length; i += 1000)
      await rig.redis.ask('RPUSH', LIST, ...all.slice(i, i + 1000));
    const killed = await killedInTheMiddle(rig, all.length);
    const start = performance.now();
    const code = await again(rig);
    const took = (performance.now() - start) / 1000;
    await waitFor('all at the sink', () => rig.sink.seen.size >= wanted, { within: 120_000 });
    const aside = fs.readFileSync(path.join(rig.dir, ASIDE), 'utf8').trim().split('\n');
    const keys = await rig.redis.ask('KEYS', `${LIST}*`);
    const sum = count(rig.sink.journal);
    const figures = {
      faults: 1,
      sent: wanted,
      accepted: wanted,
      ...sum,
      dlq: await rig.deadLetters(),
      lost: wanted - sum.delivered,
      set_aside: aside.length,
      second_run_s: round(took),
      counted_at: 'sink',
    };
    rig.verify();
    const line = verdict(figures, {
      ...promises(figures),
      'killed in the middle': killed,
      'the second run went to the end': code === 65,
      'the list is gone': keys.length === 0,
      'each malformed entry set aside once': aside.length === MALFORMED,
    });
    passed = line.pass;
    return line;
  } finally {
    await rig.end({ keep: !passed });
  }
}
