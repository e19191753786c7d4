// Goal: `esteira buffer` tells what waits in Redis and hands it to Kafka, and keeps its hands off what a
// live shim holds. The entries are made here, byte for byte as lib/codec/entry.h says, from records that
// the shim wrote.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { program } from '../support/paths.mjs';
import { scenario } from '../support/pipeline.mjs';
import { numbered } from '../support/samples.mjs';
import { waitFor } from '../support/wait.mjs';

const COUNT = 1500;

function esteira(belt, ...args) {
  const options = { env: belt.env, cwd: belt.dir, timeout: 120_000, maxBuffer: 1 << 26 };
  return new Promise((resolve) => {
    execFile(program('esteira'), ['buffer', ...args, '-c', belt.config], options, (error, out, err) =>
      resolve({ code: error ? error.code : 0, out, err }),
    );
  });
}

const objects = (text) => text.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));

function varint(n) {
  const bytes = [];
  for (; n >= 128; n = Math.floor(n / 128)) bytes.push((n % 128) | 128);
  return Buffer.from([...bytes, n]);
}

const optional = (bytes) => (bytes === null ? varint(0) : Buffer.concat([varint(bytes.length + 1), bytes]));

function blob({ key, value, timestamp, headers }) {
  const parts = [Buffer.from([1]), varint(timestamp), optional(Buffer.from(key)), optional(value)];
  parts.push(varint(headers.length));
  for (const [name, text] of headers)
    parts.push(varint(name.length), Buffer.from(name), optional(Buffer.from(text)));
  return Buffer.concat(parts);
}

// Commands with binary arguments, pipelined; waits for all answers.
function feed(port, commands) {
  const parts = commands.flatMap((args) => [
    Buffer.from(`*${args.length}\r\n`),
    ...args.flatMap((arg) => {
      const bytes = Buffer.from(arg);
      return [Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')];
    }),
  ]);
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1');
    let text = '';
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      text += chunk;
      if (text.endsWith('+PONG\r\n')) socket.destroy();
    });
    socket.on('close', () => (text.includes('\r\n-') || text[0] === '-' ? reject(new Error(text)) : resolve()));
    socket.write(Buffer.concat([...parts, Buffer.from('PING\r\n')]));
  });
}

// What a shim that is gone would have left: the records, in the order of their stream.
async function leave(belt, boot, records) {
  const tag = `{esteira:buf:${boot}}`;
  let bytes = 0;
  const commands = records.map((record, i) => {
    const chain = `${boot}/0/order/${record.partition}/${i}`;
    const id = record.headers.find(([name]) => name === 'ce_id')[1];
    const headers = record.headers.filter(([name]) => name !== 'esteira-chain');
    const entry = blob({ ...record, headers });
    bytes += id.length + chain.length + entry.length;
    return ['XADD', `${tag}:order`, '*', 'id', id, 'chain', chain, 'record', entry];
  });
  commands.push(['SADD', `${tag}:types`, 'order'], ['HSET', `${tag}:bytes`, 'order', String(bytes)]);
  commands.push(['RPUSH', 'esteira:boots', `loja/${boot}`]);
  await feed(belt.redis.port, commands);
}

const idsOf = (records) => records.map((record) => record.headers.find(([name]) => name === 'ce_id')[1]);

// A machine that is slow enough makes a shim send something twice.
function once(records) {
  const seen = new Set();
  return records.filter((record) => !seen.has(idsOf([record])[0]) && seen.add(idsOf([record])[0]));
}

// The ids of each partition, in order.
function byPartition(records) {
  const lists = {};
  const ids = idsOf(records);
  records.forEach((record, i) => (lists[record.partition] ??= []).push(ids[i]));
  return lists;
}

scenario('buffer status, peek, adopt, drain', { consumers: 0, redis: true }, async (belt) => {
  const none = await esteira(belt, 'status');
  assert.equal(none.code, 0, none.out + none.err);
  assert.match(none.out, /Nothing waits in Redis/);
  assert.equal((await esteira(belt, 'drain', '--json')).code, 0);

  const events = Array.from({ length: COUNT }, (_, i) => numbered(`p${i % 40}`, i));
  const file = path.join(belt.dir, 'events.ndjson');
  fs.writeFileSync(file, `${events.map((event) => JSON.stringify(event)).join('\n')}\n`);
  await belt.esteira('publish', file, '--url', belt.url);
  await waitFor(
    'all of it in Kafka, nothing in Redis',
    async () => (await belt.counts())[belt.topic('order')] >= COUNT && (await belt.redis.buffered()) === 0,
    { within: 60_000, every: 100 },
  );
  await belt.shim.stop();
  const before = await belt.records(belt.topic('order'));
  const records = once(before);
  assert.equal(records.length, COUNT);
  const boot = randomBytes(16).toString('hex');
  await leave(belt, boot, records);

  const status = await esteira(belt, 'status', '--json');
  assert.equal(status.code, 1, status.err);
  const row = objects(status.out).find((one) => one.boot === boot);
  assert.deepEqual(
    [row.instance, row.holder, row.type, row.entries, row.adopt],
    ['loja', '', 'order', COUNT, false],
  );
  assert.ok(row.bytes > COUNT * 100 && row.oldest_ms > 0);
  assert.match((await esteira(belt, 'status')).out, /^loja +[0-9a-f]{12} +nobody +order +1,500 /m);

  const peek = await esteira(belt, 'peek', 'order', '--count', '3', '--json');
  assert.equal(peek.code, 0, peek.err);
  const shown = objects(peek.out);
  assert.deepEqual(shown.map((one) => one.id), idsOf(records).slice(0, 3));
  assert.equal(shown[0].event.id, shown[0].id);
  assert.equal(shown[0].event.event, 'order_update');
  assert.ok(shown[0].chain.startsWith(`${boot}/0/order/`));
  assert.equal((await esteira(belt, 'peek', 'payment')).code, 1);
  assert.equal((await esteira(belt, 'peek', 'nonsense')).code, 64);

  // Somebody lives who has it.
  await belt.redis.ask('SET', `{esteira:buf:${boot}}:lease`, boot, 'PX', '60000');
  const held = await esteira(belt, 'drain');
  assert.equal(held.code, 1, held.out + held.err);
  assert.match(held.err, /is held by itself/);
  assert.equal((await esteira(belt, 'adopt', boot.slice(0, 6))).code, 1);
  assert.equal((await belt.records(belt.topic('order'))).length, before.length);
  await belt.redis.ask('DEL', `{esteira:buf:${boot}}:lease`);

  const adopt = await esteira(belt, 'adopt', boot.slice(0, 6));
  assert.equal(adopt.code, 0, adopt.err);
  assert.equal(await belt.redis.ask('EXISTS', `{esteira:buf:${boot}}:adopt`), 1);
  assert.equal((await esteira(belt, 'adopt', 'zz')).code, 1);

  // One that no Kafka will ever take stands in the way of nobody.
  await feed(belt.redis.port, [
    ['XADD', `{esteira:buf:${boot}}:order`, '*', 'id', 'x', 'chain', 'y', 'record', 'z'],
  ]);
  const drain = await esteira(belt, 'drain', '--boot', boot.slice(0, 6), '--json');
  assert.equal(drain.code, 0, drain.out + drain.err);
  const { handed, boots, refused } = objects(drain.out).at(-1);
  assert.deepEqual({ handed, boots, refused }, { handed: COUNT, boots: 1, refused: 1 });
  const all = await belt.records(belt.topic('order'));
  assert.equal(all.length, before.length + COUNT);
  const [old, lists] = [byPartition(before), byPartition(records)];
  for (const [partition, ids] of Object.entries(byPartition(all)))
    assert.deepEqual(ids, [...old[partition], ...lists[partition]]);
  const again = all.find((record) => record.headers.some(([, text]) => text.startsWith(`${boot}/`)));
  const first = records.find((record) => idsOf([record])[0] === idsOf([again])[0]);
  assert.deepEqual([again.key, again.value, again.timestamp], [first.key, first.value, first.timestamp]);
  assert.deepEqual((await belt.redis.ask('KEYS', '*')).filter((key) => key !== 'esteira:partitions').sort(), [
    'esteira:refused',
    `{esteira:buf:${boot}}:lease`,
    `{esteira:buf:${boot}}:order:refused`,
  ]);
  // Should its owner wake, it must not take this boot back.
  assert.equal(await belt.redis.ask('GET', `{esteira:buf:${boot}}:lease`), 'drained');

  const refusedOnes = await esteira(belt, 'peek', 'order', '--refused');
  assert.equal(refusedOnes.code, 0, refusedOnes.err);
  assert.match(refusedOnes.err, /cannot be decoded: .* \[E-/);

  await belt.redis.kill();
  const away = await esteira(belt, 'status', '--timeout', '300ms');
  assert.equal(away.code, 69, away.out + away.err);
  assert.match(away.err, /E-REDIS-DOWN/);
});
