// Goal: an event of each type arrives at the dashboard with exactly the members that the bot sent.

import assert from 'node:assert/strict';
import { jsonText, postEvent, postLines } from '../support/http.mjs';
import { scenario } from '../support/pipeline.mjs';
import { SAMPLES } from '../support/samples.mjs';
import { waitFor } from '../support/wait.mjs';

const TYPES = [
  'message',
  'message',
  'message_status',
  'order',
  'order',
  'payment',
  'user',
  'session',
  'interaction',
  'bot_error',
  'custom',
  'order',
];
// What the belt adds to an event.
const ADDED = ['id', 'type', 'source', 'tenant', 'occurred_at', 'received_at', 'dedup_id', 'key'];
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

// Ids come as text and money as digits, whatever the bot wrote them as.
function same(got, sent, at) {
  if (typeof sent === 'bigint') return assert.equal(String(got), String(sent), at);
  if (/\/(total|amount)$/.test(at)) return assert.equal(Number(got), Number(sent), at);
  if (typeof sent !== 'object' || sent === null) return assert.deepEqual(got, sent, at);
  if (typeof got !== 'object' || got === null) return assert.deepEqual(got, sent, at);
  assert.deepEqual(
    Object.keys(got).sort(),
    Object.keys(sent).sort(),
    `members of ${at || 'the event'}`,
  );
  return Object.keys(sent).forEach((name) => same(got[name], sent[name], `${at}/${name}`));
}

function compare(got, sent) {
  same(got.payload, sent.payload, '/payload');
  for (const [name, value] of Object.entries(sent))
    if (name !== 'payload') same(got[name], value, `/${name}`);
  const more = Object.keys(got).filter((name) => !(name in sent) && !ADDED.includes(name));
  assert.deepEqual(more, [], 'no member that nobody sent');
}

scenario('every type arrives whole', {}, async (belt) => {
  const ids = [];
  for (const sample of SAMPLES) {
    const answer = await postEvent(belt.url, sample);
    assert.equal(answer.status, 202, answer.text);
    assert.deepEqual(Object.keys(answer.json).sort(), ['buffered', 'id']);
    assert.equal(answer.json.buffered, false);
    ids.push(answer.json.id);
  }
  assert.equal(new Set(ids).size, SAMPLES.length);
  await waitFor(
    () => `${belt.sink.seen.size} delivered`,
    () => ids.every((id) => belt.sink.seen.has(id)),
  );
  SAMPLES.forEach((sample, i) => {
    const got = belt.sink.byId(ids[i]);
    assert.equal(got.type, TYPES[i], sample.event);
    assert.match(got.occurred_at, RFC3339);
    assert.match(got.received_at, RFC3339);
    compare(got, sample);
  });
  assert.equal(belt.sink.journal.length, SAMPLES.length, 'each once');
  assert.equal(await belt.deadLetters(), 0);
});

scenario("one array, NDJSON, the caller's id and Idempotency-Key", {}, async (belt) => {
  const three = ['a', 'b', 'c'].map((id) => ({
    id: `array-${id}`,
    event: 'order_created',
    payload: { order_id: '1' },
  }));
  const array = await postEvent(belt.url, three);
  assert.deepEqual(
    [array.status, array.json],
    [202, { accepted: 3, buffered: 0, ids: three.map((e) => e.id) }],
  );
  const lines = await postLines(belt.url, SAMPLES, { headers: { prefer: 'return=minimal' } });
  assert.deepEqual([lines.status, lines.json], [202, { accepted: SAMPLES.length, buffered: 0 }]);
  const keyed = await postEvent(belt.url, SAMPLES[0], {
    headers: { 'idempotency-key': 'chave-1' },
  });
  assert.equal(keyed.json.id, 'chave-1');
  await waitFor(
    () => `${belt.sink.seen.size} delivered`,
    () => belt.sink.seen.size === 3 + SAMPLES.length + 1,
  );
  assert.equal(belt.sink.byId('chave-1').dedup_id, 'chave-1');
  assert.deepEqual(
    belt.sink.journal.filter((e) => e.id.startsWith('array-')).map((e) => e.id),
    three.map((e) => e.id),
    'of one key, in order',
  );
});

scenario('many events of one key arrive in order, each once', {}, async (belt) => {
  const events = Array.from({ length: 500 }, (_, i) => ({
    id: `n-${i}`,
    event: 'message_received',
    payload: { conversation_id: 'c-1', text: `número ${i} 👋`, stream: 'c-1', n: i },
  }));
  for (let i = 0; i < events.length; i += 50) {
    const answer = await postLines(belt.url, events.slice(i, i + 50));
    assert.equal(answer.status, 202, jsonText(answer.json));
  }
  const sum = await belt.delivered(events);
  assert.equal(sum.duplicates, 0);
});
