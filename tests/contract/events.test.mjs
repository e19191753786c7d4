// Goal: the two POST operations answer as the contract says, and nothing is stored that was refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dashboard, assertProblem } from './dashboard.mjs';

const order = (n, more = {}) => ({
  id: `order-${n}`,
  event: 'order_created',
  payload: { order_id: String(n), total: 10 },
  ...more,
});

test('one event is stored once, told once or twice', async (t) => {
  const d = await Dashboard.start(t);
  const first = await d.event(order(1));
  assert.equal(first.status, 201);
  assert.deepEqual(first.json, { id: 'order-1', duplicate: false });
  const again = await d.event(order(1));
  assert.equal(again.status, 200);
  assert.deepEqual(again.json, { id: 'order-1', duplicate: true });
  assert.equal((await d.metrics()).orders.total, 1);
});

test('the dedup_id decides, within one tenant', async (t) => {
  const d = await Dashboard.start(t);
  assert.equal((await d.event(order(1, { id: 'a', dedup_id: 'x' }))).status, 201);
  assert.equal((await d.event(order(1, { id: 'b', dedup_id: 'x' }))).status, 200);
  assert.equal((await d.event(order(1, { id: 'a', dedup_id: 'y' }))).status, 201);
  assert.equal((await d.event(order(1, { dedup_id: 'x', tenant: 'other' }))).status, 201);
  assert.equal((await d.status()).events, 3);
});

test('the same event from many sides at once is new to exactly one', async (t) => {
  const d = await Dashboard.start(t);
  const one = Array.from({ length: 20 }, () => d.event(order(7)));
  const many = Array.from({ length: 10 }, () => d.batch([order(7), order(8)]));
  const singles = await Promise.all(one);
  const batches = (await Promise.all(many)).flatMap((answer) => answer.json.results);
  const fresh = (id) =>
    [...singles.map((a) => ({ ...a.json, status: a.status })), ...batches].filter(
      (result) => result.id === id && result.status === 201,
    ).length;
  assert.equal(fresh('order-7'), 1);
  assert.equal(fresh('order-8'), 1);
  assert.equal((await d.status()).events, 2);
});

test('an Idempotency-Key stands for a missing id', async (t) => {
  const d = await Dashboard.start(t);
  const bare = { event: 'order_created', payload: { order_id: '1' } };
  const key = { 'idempotency-key': 'pedido-1' };
  assert.deepEqual((await d.event(bare, key)).json, { id: 'pedido-1', duplicate: false });
  assert.deepEqual((await d.event(bare, key)).json, { id: 'pedido-1', duplicate: true });
  const batch = async () => (await d.batch([bare, bare], { 'idempotency-key': 'b' })).json.results;
  assert.deepEqual((await batch()).map((r) => [r.id, r.status]), [['b/0', 201], ['b/1', 201]]);
  assert.deepEqual((await batch()).map((r) => r.status), [200, 200]);
  assert.notEqual((await d.event(bare)).json.id, (await d.event(bare)).json.id);
});

test('a batch is answered item by item, in order', async (t) => {
  const d = await Dashboard.start(t);
  await d.event(order(2));
  const { status, json } = await d.batch([order(1), order(2), { event: 'x' }, 'text', order(3), order(3)]);
  assert.equal(status, 200);
  assert.deepEqual(
    json.results.map((r) => [r.id, r.status, r.duplicate, r.error?.pointer]),
    [
      ['order-1', 201, false, undefined],
      ['order-2', 200, true, undefined],
      [null, 422, false, '/payload'],
      [null, 422, false, ''],
      ['order-3', 201, false, undefined],
      ['order-3', 200, true, undefined],
    ],
  );
  assert.equal((await d.status()).events, 3);
  assert.deepEqual((await d.batch([])).json, { results: [] });
});

test('behind a refused event, its key waits and other keys do not', async (t) => {
  const d = await Dashboard.start(t);
  const { json } = await d.batch([
    order(1, { key: 'a' }),
    order(2, { key: 'a', payload: 5 }),
    order(3, { key: 'a' }),
    order(4, { key: 'b' }),
    order(5),
    order(6, { key: 'a', event: '' }),
  ]);
  assert.deepEqual(
    json.results.map((r) => r.status),
    [201, 422, 424, 201, 201, 424],
  );
  assert.equal(json.results[2].error.code, 'E-EVENT-BEHIND');
  assert.equal((await d.status()).events, 3);
  assert.equal((await d.event(order(3, { key: 'a' }))).status, 201, 'sent again later, it is stored');
});

const malformed = [
  ['no event', { payload: {} }, '/event'],
  ['empty event', { event: '', payload: {} }, '/event'],
  ['event no string', { event: 5, payload: {} }, '/event'],
  ['event too long', { event: 'x'.repeat(129), payload: {} }, '/event'],
  ['no payload', { event: 'x' }, '/payload'],
  ['payload a list', { event: 'x', payload: [] }, '/payload'],
  ['id an object', { event: 'x', id: {}, payload: {} }, '/id'],
  ['id a fraction', { event: 'x', id: 1.5, payload: {} }, '/id'],
  ['dedup_id too long', { event: 'x', dedup_id: 'd'.repeat(257), payload: {} }, '/dedup_id'],
  ['tenant a list', { event: 'x', tenant: ['a'], payload: {} }, '/tenant'],
  ['type too long', { event: 'x', type: 't'.repeat(49), payload: {} }, '/type'],
  ['a NUL in the id', { event: 'x', id: 'a\u0000b', payload: {} }, '/id'],
  ['no time', { event: 'x', occurred_at: 'yesterday', payload: {} }, '/occurred_at'],
  ['time a fraction', { event: 'x', timestamp: 1.5, payload: {} }, '/timestamp'],
  ['before 1970', { event: 'x', occurred_at: '1969-07-20T20:17:40Z', payload: {} }, '/occurred_at'],
  ['a list', [], ''],
  ['a number', '42', ''],
];

test('what is no event is refused with its place, and not stored', async (t) => {
  const d = await Dashboard.start(t);
  for (const [name, body, pointer] of malformed) {
    const answer = await d.event(body);
    assert.equal(answer.status, 422, `${name}: ${answer.text}`);
    assertProblem(answer, 422, pointer);
  }
  assert.equal((await d.status()).events, 0);
});

const notJson = [
  ['nothing', ''],
  ['cut off', '{"event":"x","payload":{}'],
  ['two values', '{}{}'],
  ['a member twice', '{"event":"x","event":"y","payload":{}}'],
  ['too deep', `{"event":"x","payload":{"a":${'['.repeat(80)}${']'.repeat(80)}}}`],
];

test('what is not JSON is 400, on both paths', async (t) => {
  const d = await Dashboard.start(t);
  for (const [name, body] of notJson)
    for (const route of ['/api/v1/events', '/api/v1/events/batch']) {
      const answer = await d.call('POST', route, { body });
      assert.equal(answer.status, 400, `${route} ${name}: ${answer.text}`);
      assertProblem(answer, 400);
    }
  assertProblem(await d.call('POST', '/api/v1/events/batch', { body: '[]' }), 400, '/events');
  assertProblem(await d.call('POST', '/api/v1/events/batch', { body: '{"events":{}}' }), 400, '/events');
  assert.equal((await d.status()).events, 0);
});

test('too much is 413, and the dashboard goes on', async (t) => {
  const d = await Dashboard.start(t);
  const many = Array.from({ length: 5001 }, (_, i) => order(i));
  assertProblem(await d.batch(many), 413, '/events');
  const huge = await d.event(order(1, { payload: { text: 'x'.repeat(17 * 1024 * 1024) } })).catch((e) => e);
  if (huge.status !== undefined) assert.equal(huge.status, 413);
  else assert.match(huge.code, /^(EPIPE|ECONNRESET)$/, 'the body is not even read');
  assert.equal((await d.status()).events, 0);
  const most = await d.batch(many.slice(0, 5000));
  assert.equal(most.json.results.filter((r) => r.status === 201).length, 5000);
});

test('only JSON is taken', async (t) => {
  const d = await Dashboard.start(t);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx'])
    assertProblem(await d.event(order(1), { 'content-type': type }), 415);
  const charset = { 'content-type': 'Application/JSON; charset=utf-8' };
  assert.equal((await d.event(order(1), charset)).status, 201);
});
