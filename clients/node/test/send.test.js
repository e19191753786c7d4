'use strict';
// Goal: what a call sends, once, when all is well.

const { test } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { sendEventToDashboard, sendBatchEvents } = require('..');
const { callOptions } = require('../lib/options');
const { fakeShim, withEnv } = require('./fake_shim');

const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

async function shim(t, env = {}, ...rest) {
  const fake = await fakeShim(t, ...rest);
  withEnv(t, { ESTEIRA_URL: fake.url, ...env });
  return fake;
}

test('an event goes to POST /v1/events with an id and a time', async (t) => {
  const fake = await shim(t);
  const result = await sendEventToDashboard('order_created', {
    order_id: '8841',
    note: 'Olá 👋 João',
  });
  assert.match(result.id, UUID7);
  assert.deepEqual(result, { success: true, id: result.id, buffered: false });
  const [req] = fake.requests;
  assert.equal(`${req.method} ${req.path}`, 'POST /v1/events');
  assert.equal(req.headers['content-type'], 'application/json');
  const [{ occurred_at, ...event }] = fake.events();
  assert.ok(Math.abs(Date.parse(occurred_at) - Date.now()) < 60_000);
  assert.deepEqual(event, {
    id: result.id,
    event: 'order_created',
    payload: { order_id: '8841', note: 'Olá 👋 João' },
  });
});

test('extra stands at the top level and brings its own time', async (t) => {
  const fake = await shim(t);
  await sendEventToDashboard(
    'user_login',
    { user: 'u1' },
    { extra: { botId: 'b7', tenant: 'loja', timestamp: 1732480000000, nested: { a: [1] } } },
  );
  const [{ id, ...event }] = fake.events();
  assert.deepEqual(event, {
    event: 'user_login',
    payload: { user: 'u1' },
    botId: 'b7',
    tenant: 'loja',
    timestamp: 1732480000000,
    nested: { a: [1] },
  });
});

test('the id can be given, to repeat an event', async (t) => {
  const fake = await shim(t);
  const { id } = await sendEventToDashboard('a', {}, { id: 'wamid.1' });
  assert.equal(id, 'wamid.1');
  assert.equal(fake.events()[0].id, 'wamid.1');
});

test('the token is a bearer token; per-call headers reach the shim; reserved ones do not', async (t) => {
  const fake = await shim(t, { ESTEIRA_TOKEN: 'sesame' });
  const warned = [];
  const hear = (w) => warned.push(w.code);
  process.on('warning', hear);
  t.after(() => process.off('warning', hear));
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await sendEventToDashboard(
    'a',
    {},
    {
      headers: {
        traceparent,
        'X-Bot': 7,
        Authorization: 'Bearer other',
        'Content-Type': 'text/plain',
        'content-length': '1',
        absent: undefined,
      },
    },
  );
  const { headers } = fake.requests[0];
  assert.equal(headers.authorization, 'Bearer sesame');
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(headers.traceparent, traceparent);
  assert.equal(headers['x-bot'], '7');
  assert.ok(!('absent' in headers));
  await new Promise(setImmediate);
  assert.deepEqual(warned, ['ESTEIRA_HEADER_IGNORED'], 'said once, not per header');
});

test('without a token no Authorization is sent, whatever a call says', async (t) => {
  const fake = await shim(t, { DASHBOARD_TOKEN: 'of-the-dashboard' });
  await sendEventToDashboard('a', {}, { headers: { Authorization: 'Bearer of-a-call' } });
  assert.ok(!('authorization' in fake.requests[0].headers));
});

test('the defaults of the old service', () => {
  const wanted = { timeout: 5000, retries: 3, headers: {}, extra: {}, id: undefined };
  for (const options of [undefined, null, {}]) assert.deepEqual(callOptions(options), wanted);
});

test('a batch is one request, in order, with the ids of its items', async (t) => {
  const fake = await shim(t);
  const result = await sendBatchEvents([
    { event: 'a', payload: { n: 1 }, id: 'mine' },
    { event: 'b', payload: { n: 2 }, source: 'bot-1' },
  ]);
  assert.equal(fake.requests.length, 1);
  const [[first, second]] = fake.events();
  assert.deepEqual(
    [first.id, first.event, second.event, second.source, second.payload.n],
    ['mine', 'a', 'b', 'bot-1', 2],
  );
  assert.deepEqual(result, { success: true, accepted: 2, buffered: 0, ids: ['mine', second.id] });
});

test('a batch of one is an array; an empty one sends nothing', async (t) => {
  const fake = await shim(t);
  await sendBatchEvents([{ event: 'a', payload: {} }]);
  assert.ok(Array.isArray(fake.events()[0]));
  assert.deepEqual(await sendBatchEvents([]), { success: true, accepted: 0, buffered: 0, ids: [] });
  assert.equal(fake.requests.length, 1);
});

test('a very large batch goes in parts, in order', async (t) => {
  const fake = await shim(t);
  const events = Array.from({ length: 12_001 }, (_, n) => ({ event: 'a', payload: { n } }));
  const result = await sendBatchEvents(events);
  assert.equal(result.accepted, 12_001);
  assert.deepEqual(
    fake.events().map((part) => part.length),
    [5000, 5000, 2001],
  );
  assert.deepEqual(
    fake
      .events()
      .flat()
      .map((ev) => ev.payload.n),
    events.map((ev) => ev.payload.n),
  );
});

test('buffered is told', async (t) => {
  await shim(t, {}, [
    { status: 202, json: { id: 'x', buffered: true } },
    { status: 202, json: { accepted: 2, buffered: 2, ids: [] } },
  ]);
  assert.equal((await sendEventToDashboard('a', {})).buffered, true);
  assert.equal(
    (
      await sendBatchEvents([
        { event: 'a', payload: {} },
        { event: 'b', payload: {} },
      ])
    ).buffered,
    2,
  );
});

for (const [name, env] of [
  ['ESTEIRA_SOCKET', (at) => ({ ESTEIRA_SOCKET: at })],
  ['ESTEIRA_URL=unix:/path', (at) => ({ ESTEIRA_URL: `unix:${at}` })],
  ['ESTEIRA_URL=unix:///path', (at) => ({ ESTEIRA_URL: `unix://${at}` })],
]) {
  test(`a Unix socket by ${name}`, async (t) => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'esteira-'));
    t.after(() => fs.rmSync(dir, { recursive: true }));
    const at = path.join(dir, 's');
    const fake = await fakeShim(t, undefined, { path: at });
    withEnv(t, env(at));
    await sendEventToDashboard('a', {});
    await sendEventToDashboard('b', {});
    assert.deepEqual(
      fake.events().map((ev) => ev.event),
      ['a', 'b'],
    );
  });
}

test('a path in ESTEIRA_URL is kept in front', async (t) => {
  const fake = await fakeShim(t);
  withEnv(t, { ESTEIRA_URL: `${fake.url}/esteira/` });
  await sendEventToDashboard('a', {});
  assert.equal(fake.requests[0].path, '/esteira/v1/events');
});

test('calls one after another share a connection; 500 at once all arrive with different ids', async (t) => {
  const fake = await shim(t);
  for (let n = 0; n < 5; n++) await sendEventToDashboard('a', { n });
  assert.equal(new Set(fake.requests.map((r) => r.port)).size, 1);
  await Promise.all(Array.from({ length: 500 }, (_, n) => sendEventToDashboard('b', { n })));
  assert.equal(fake.requests.length, 505);
  assert.equal(new Set(fake.events().map((ev) => ev.id)).size, 505);
  assert.ok(new Set(fake.requests.map((r) => r.port)).size <= 64);
});
