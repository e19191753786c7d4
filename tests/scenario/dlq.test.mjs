// Goal: what a dashboard refused can be looked at without showing anyone's data, and nothing else is needed
// to find it but Kafka.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { program } from '../support/paths.mjs';
import { scenario } from '../support/pipeline.mjs';
import { Publisher } from '../support/publisher.mjs';
import { series } from '../support/samples.mjs';
import { waitFor } from '../support/wait.mjs';

const FAULT = { code: 'E-TOTAL', detail: 'total is missing', pointer: '/payload/total' };

function esteira(belt, ...args) {
  const options = { env: belt.env, cwd: belt.dir, timeout: 120_000, maxBuffer: 1 << 28 };
  return new Promise((resolve) => {
    execFile(program('esteira'), ['dlq', ...args, '-c', belt.config], options, (error, out, err) =>
      resolve({ code: error ? error.code : 0, out, err }),
    );
  });
}

const objects = (text) => text.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));

// Sends `count` events of which every `nth` is refused; returns those, once they lie in the DLQ.
async function refuse(belt, count, nth) {
  const publisher = new Publisher(belt.url);
  const all = [...series(count, { streams: 8 })];
  const bad = all.filter((_, i) => i % nth === 0);
  const ids = new Set(bad.map((event) => event.id));
  belt.sink.refuses = (event) => (ids.has(event.id) ? FAULT : null);
  await publisher.send(all);
  await belt.delivered(all.filter((event) => !ids.has(event.id)));
  await waitFor('all of them in the DLQ', async () => (await belt.deadLetters()) >= bad.length, {
    within: 30_000,
    every: 200,
  });
  return bad;
}

scenario('list, show, diff', {}, async (belt) => {
  const none = await esteira(belt, 'list');
  assert.equal(none.code, 0, none.err);
  assert.match(none.out, /No dead letter fits/);
  const bad = await refuse(belt, 300, 50);

  const list = objects((await esteira(belt, 'list', '--json')).out);
  assert.deepEqual(list.map((one) => one.id).sort(), bad.map((event) => event.id).sort());
  const [one] = list;
  assert.equal(one.kind, 'dlq_entry');
  assert.deepEqual(
    [one.type, one.topic, one.destination, one.state, one.http_status, one.replay_count, one.writer],
    ['order', belt.topic('order'), 'dashboard', 'open', 422, 0, 'esteira'],
  );
  const people = await esteira(belt, 'list');
  assert.match(people.out, new RegExp(`order +${one.error_class} +422 +open +${bad.length}`));
  assert.match(people.err, /6 dead letters: 6 open, 0 parked, 0 replayed/);

  const count = async (...filters) => objects((await esteira(belt, 'list', '--json', ...filters)).out).length;
  assert.equal(await count('--type', 'order', '--class', one.error_class, '--status', '422'), 6);
  assert.equal(await count('--type', 'message'), 0);
  assert.equal(await count('--class', 'tombstone'), 0);
  assert.equal(await count('--status', '413'), 0);
  assert.equal(await count('--since', '1h'), 6);
  assert.equal(await count('--until', '1h'), 0);
  assert.equal(await count('--state', 'replayed'), 0);
  assert.equal(await count('--id', one.id), 1);
  assert.equal(await count('--count', '2'), 2);
  assert.equal(await count('--topic', belt.deadLetterTopic('order')), 6);
  assert.equal((await esteira(belt, 'list', '--type', 'nonsense')).code, 64);
  assert.equal((await esteira(belt, 'list', '--state', 'nonsense')).code, 64);
  assert.equal((await esteira(belt, 'list', '--topic', 'there.is.none')).code, 1);

  const event = bad.find(({ id }) => id === one.id);
  const show = await esteira(belt, 'show', one.id);
  assert.equal(show.code, 0, show.err);
  assert.match(show.out, /\/payload\/order_id {2}a string, \d+/);
  assert.doesNotMatch(show.out, new RegExp(event.payload.order_id), 'values are not shown');
  const place = `order#${one.dlq_partition}:${one.dlq_offset}`;
  const raw = objects((await esteira(belt, 'show', place, '--raw', '--json')).out)[0];
  assert.equal(raw.event.payload.order_id, event.payload.order_id);
  assert.equal((await esteira(belt, 'show', 'nobody')).code, 1);

  const diff = await esteira(belt, 'diff', one.id);
  assert.equal(diff.code, 0, diff.out + diff.err);
  assert.match(diff.out, /it fits the schema that order has now/);
  assert.equal(objects((await esteira(belt, 'diff', '--type', 'order', '--json')).out).length, 6);
});
