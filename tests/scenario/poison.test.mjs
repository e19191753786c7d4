// Goal: of many events only the one that the dashboard refuses goes to the dead letters, byte for byte and
// with the reason; all others are delivered, those of its own key too.

import assert from 'node:assert/strict';
import { scenario } from '../support/pipeline.mjs';
import { Publisher } from '../support/publisher.mjs';
import { series } from '../support/samples.mjs';
import { waitFor } from '../support/wait.mjs';

const FAULT = { code: 'E-TOTAL', detail: 'total is missing', pointer: '/payload/total' };

// Sends 300 events of which the given one is poison; returns {bad, good}.
async function sendWithPoison(belt) {
  const publisher = new Publisher(belt.url);
  const all = [...series(300, { streams: 8 })];
  const bad = all[137];
  belt.poisonId = bad.id;
  await publisher.send(all);
  return { bad, good: all.filter((event) => event !== bad) };
}

async function checkDeadLetter(belt, bad) {
  const dead = await waitFor(
    'one dead letter',
    async () => {
      const list = await belt.records(belt.deadLetterTopic('order')).catch(() => []);
      return list.length > 0 && list;
    },
    { within: 30_000, every: 300 },
  );
  assert.equal(dead.length, 1);
  const [letter] = dead;
  const source = (await belt.records(belt.topic('order'))).find(
    (r) => Object.fromEntries(r.headers).ce_id === bad.id,
  );
  assert.equal(letter.key, source.key);
  assert.deepEqual(letter.value, source.value, 'byte for byte');
  assert.equal(letter.timestamp, source.timestamp);
  assert.deepEqual(
    letter.headers.slice(0, source.headers.length),
    source.headers,
    'its own headers first',
  );
  const headers = Object.fromEntries(letter.headers);
  assert.equal(headers['__dlq.errors.topic'], belt.topic('order'));
  assert.equal(headers['__dlq.errors.partition'], String(source.partition));
  assert.equal(headers['__dlq.errors.offset'], String(source.offset));
  assert.ok(
    'esteira-error-class' in headers && 'esteira-failed-at' in headers,
    Object.keys(headers).join(),
  );
  return headers;
}

scenario('refused by its item in a batch', {}, async (belt) => {
  belt.sink.refuses = (event) => (event.id === belt.poisonId ? FAULT : null);
  const { bad, good } = await sendWithPoison(belt);
  await belt.delivered(good);
  const headers = await checkDeadLetter(belt, bad);
  assert.equal(headers['esteira-http-status'], '422');
});

scenario('a whole batch refused: found by halves, few requests', {}, async (belt) => {
  belt.sink.answerWith = ({ body }) =>
    body.includes(belt.poisonId) ? { status: 422, json: { title: 'no' } } : null;
  const { bad, good } = await sendWithPoison(belt);
  await belt.delivered(good);
  await checkDeadLetter(belt, bad);
  const failed = belt.sink.requests.filter((r) => r.status === 422).length;
  assert.ok(failed <= 1 + Math.ceil(Math.log2(300)), `${failed} failed requests`);
});

// The receiver closes the door more often than a batch can be halved down to one event.
scenario('refused whole by a receiver that limits each third request', {}, async (belt) => {
  const publisher = new Publisher(belt.url);
  const all = [...series(300, { streams: 100 })];
  const [bad] = all;
  let n = 0;
  belt.sink.answerWith = ({ method, body }) => {
    if (method !== 'POST') return null;
    if (++n % 3 === 0) return { status: 429, json: {}, headers: { 'retry-after': '1' } };
    return body.includes(bad.id) ? { status: 422, json: FAULT } : null;
  };
  await belt.consumers[0].stop();
  await publisher.send(all);
  await belt.consumers[0].start();
  await belt.delivered(
    all.filter((event) => event !== bad),
    { within: 60_000 },
  );
  await checkDeadLetter(belt, bad);
});
