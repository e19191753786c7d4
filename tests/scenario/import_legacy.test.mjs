// Goal: what the old service left in its Redis list comes into the pipeline: nothing lost, nothing twice,
// in its order, also when the import is killed in the middle, and what is no event is set aside.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { program } from '../support/paths.mjs';
import { scenario } from '../support/pipeline.mjs';
import { waitFor } from '../support/wait.mjs';

const LIST = 'dashboard:events';
const COUNT = Number(process.env.ESTEIRA_IMPORT_COUNT ?? 10_000);
const STREAMS = 32;
const BROKEN = [
  'no JSON',
  '{"event":"order_update","payload":',
  '["order_update"]',
  '"text"',
  '{"payload":{}}',
  '{"event":"order_update"}',
  '{"event":"order_update","payload":[1]}',
  '{"event":{},"payload":{}}',
  '',
  '{"event":"order_update","payload":{},"payload":{}}',
];

// As the old service wrote them: no id, no time.
const entry = (i) =>
  JSON.stringify({
    event: 'order_update',
    payload: { order_id: `p${i % STREAMS}`, stream: `p${i % STREAMS}`, n: Math.floor(i / STREAMS) + 1 },
  });

// The entries, with the broken ones spread among them.
function entries(count) {
  const all = Array.from({ length: count }, (_, i) => entry(i));
  BROKEN.forEach((text, k) => all.splice(Math.floor(((k + 0.5) * count) / BROKEN.length) + k, 0, text));
  return all;
}

async function push(redis, how, all) {
  for (let i = 0; i < all.length; i += 1000) await redis.ask(how, LIST, ...all.slice(i, i + 1000));
}

const args = (belt, more) => ['import-legacy', '-c', belt.config, '--url', belt.url, '--json', ...more];

// {code, out, err}, also when it ended badly.
function importAll(belt, ...more) {
  const options = { env: belt.env, cwd: belt.dir, timeout: 200_000, maxBuffer: 1 << 26 };
  return new Promise((resolve) => {
    execFile(program('esteira'), args(belt, more), options, (error, out, err) =>
      resolve({ code: error ? error.code : 0, out, err }),
    );
  });
}

const objects = (text) => text.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));

function setAside(belt, name = 'dashboard-events.set-aside.ndjson') {
  const file = path.join(belt.dir, name);
  return fs.existsSync(file) ? objects(fs.readFileSync(file, 'utf8')) : [];
}

// {stream: [n, …]} of the first arrival of each id.
function firstArrivals(journal) {
  const seen = new Set();
  const streams = {};
  for (const event of journal) {
    if (seen.has(event.id)) continue;
    seen.add(event.id);
    (streams[event.payload.stream] ??= []).push(event.payload.n);
  }
  return streams;
}

async function allThere(belt, count) {
  await waitFor(
    () => `${count} events at the dashboard; ${belt.sink.seen.size} are there; logs in ${belt.dir}`,
    () => belt.sink.seen.size >= count,
    { within: 120_000, every: 100 },
  );
  const streams = Object.values(firstArrivals(belt.sink.journal));
  assert.equal(streams.reduce((sum, ns) => sum + ns.length, 0), count);
  for (const ns of streams) assert.deepEqual(ns, Array.from(ns, (_, i) => i + 1));
}

async function nothingLeft(belt) {
  assert.deepEqual(await belt.redis.ask('KEYS', `${LIST}*`), []);
}

scenario('import-legacy, killed in the middle, run again', { redis: true }, async (belt) => {
  await push(belt.redis, 'RPUSH', entries(COUNT));
  const first = spawn(program('esteira'), args(belt, ['--pushed', 'right']), {
    env: belt.env,
    cwd: belt.dir,
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => first.on('exit', (code, signal) => resolve({ code, signal })));
  await waitFor('a third is gone', async () => (await belt.redis.ask('LLEN', LIST)) < (COUNT * 2) / 3, {
    within: 60_000,
    every: 5,
  });
  first.kill('SIGKILL');
  assert.equal((await ended).signal, 'SIGKILL');
  assert.ok((await belt.redis.ask('LLEN', LIST)) > 0, 'it was killed in the middle');

  const second = await importAll(belt);
  assert.equal(second.code, 65, second.out + second.err);
  assert.equal(objects(second.out).at(-1).left, 0);
  await allThere(belt, COUNT);
  await nothingLeft(belt);
  const aside = setAside(belt);
  assert.deepEqual(aside.map((line) => line.entry).sort(), [...BROKEN].sort());
  assert.ok(aside.every((line) => line.code.startsWith('E-') && line.reason && line.list === LIST));
  assert.equal(fs.statSync(path.join(belt.dir, 'dashboard-events.set-aside.ndjson')).mode & 0o77, 0);
});

// Killed between the shim's 202 and the removal: the batch that lies in :importing goes again, under the
// same ids, so the dashboard counts nothing twice.
scenario('import-legacy: a batch that was accepted already', { redis: true }, async (belt) => {
  const batch = Array.from({ length: 50 }, (_, i) => entry(i));
  await push(belt.redis, 'RPUSH', [...batch, 'broken']);
  const once = await importAll(belt, '--pushed', 'right');
  assert.equal(once.code, 65, once.err);
  await allThere(belt, 50);
  const ids = new Set(belt.sink.seen);
  const aside = setAside(belt);
  assert.equal(aside.length, 1);

  await belt.redis.ask('RPUSH', `${LIST}:importing`, ...batch, 'broken');
  await belt.redis.ask('HSET', `${LIST}:import`, 'run', aside[0].run, 'seq', '0', 'pushed', 'right');
  const again = await importAll(belt);
  assert.equal(again.code, 65, again.err);
  assert.equal(objects(again.out).at(-1).accepted, 50);
  await nothingLeft(belt);
  assert.equal(setAside(belt).length, 1);
  await push(belt.redis, 'RPUSH', [entry(50)]);
  assert.equal((await importAll(belt, '--pushed', 'right')).code, 0);
  await waitFor('one more', () => belt.sink.seen.size === 51);
  assert.ok([...ids].every((id) => belt.sink.seen.has(id)));
});

scenario('import-legacy follows while old bots write by LPUSH', { redis: true }, async (belt) => {
  const timed = (i) => JSON.stringify({ ...JSON.parse(entry(i)), timestamp: 1764000000000 + i });
  await push(belt.redis, 'LPUSH', Array.from({ length: 500 }, (_, i) => timed(i)));
  const dry = await importAll(belt, '--dry-run');
  assert.equal(dry.code, 0, dry.err);
  assert.equal(await belt.redis.ask('LLEN', LIST), 500);

  const following = spawn(program('esteira'), args(belt, ['--follow']), {
    env: belt.env,
    cwd: belt.dir,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  following.stdout.on('data', (chunk) => (out += chunk));
  const ended = new Promise((resolve) => following.on('exit', resolve));
  await waitFor('the first 500', () => belt.sink.seen.size === 500, { within: 30_000 });
  await push(belt.redis, 'LPUSH', Array.from({ length: 500 }, (_, i) => timed(500 + i)));
  await allThere(belt, 1000);
  following.kill('SIGINT');
  assert.equal(await ended, 130);
  assert.equal(objects(out).at(-1).accepted, 1000);
  await nothingLeft(belt);
});

scenario('import-legacy: the shim and Redis away for a while', { redis: true }, async (belt) => {
  await push(belt.redis, 'RPUSH', Array.from({ length: 5000 }, (_, i) => entry(i)));
  const running = importAll(belt, '--pushed', 'right', '--timeout', '30s');
  await waitFor('some are gone', async () => (await belt.redis.ask('LLEN', LIST)) < 4000, { every: 5 });
  await belt.shim.kill();
  await belt.shim.start();
  await waitFor('more are gone', async () => (await belt.redis.ask('LLEN', LIST)) < 2500, { every: 5 });
  await belt.redis.kill();
  await belt.redis.start();
  const how = await running;
  assert.equal(how.code, 0, how.out + how.err);
  await allThere(belt, 5000);
  await nothingLeft(belt);

  await belt.shim.kill();
  await push(belt.redis, 'RPUSH', [entry(5000)]);
  const away = await importAll(belt, '--pushed', 'right', '--timeout', '300ms');
  assert.equal(away.code, 69, away.out + away.err);
  assert.equal(await belt.redis.ask('LLEN', `${LIST}:importing`), 1);
});
