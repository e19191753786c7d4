'use strict';
// Goal: which answers are tried again, when, with which id, and what a call rejects with at the end.

const { test } = require('node:test');
const assert = require('node:assert/strict');
const net = require('node:net');
const { sendEventToDashboard, sendBatchEvents, EsteiraError } = require('..');
const { fakeShim, hangUp, ok, problem, silence, withEnv } = require('./fake_shim');

const SECRET = 'segredo-5511999990000';

async function shim(t, script, env = {}) {
  const fake = await fakeShim(t, script);
  withEnv(t, { ESTEIRA_URL: fake.url, ESTEIRA_TOKEN: SECRET, ...env });
  return fake;
}
const failed = (promise) =>
  promise.then(
    () => assert.fail('was accepted'),
    (err) => err,
  );
const gaps = (fake) => fake.requests.slice(1).map((r, i) => r.at - fake.requests[i].at);

// A port on which nobody listens.
async function deadPort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.on('listening', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

test('tries are 500 ms × attempt apart and carry the same event', async (t) => {
  const fake = await shim(t, [problem(503), problem(500), ok]);
  const { id } = await sendEventToDashboard('a', { text: 'x' });
  assert.equal(new Set(fake.requests.map((r) => r.body)).size, 1);
  assert.equal(fake.events()[0].id, id);
  const [first, second] = gaps(fake);
  assert.ok(first >= 490 && first < 2000, `first gap ${first}`);
  assert.ok(second >= 990 && second < 3000, `second gap ${second}`);
});

const FINAL = [
  // [answer, code, retryable, tries with retries: 2]
  [
    problem(400, {
      errors: [
        { index: 0, pointer: '/payload/total', code: 'E-EVENT-PAYLOAD', detail: 'not a number' },
      ],
    }),
    'E-EVENT-REFUSED',
    false,
    1,
  ],
  [problem(413), 'E-EVENT-REFUSED', false, 1],
  [problem(415), 'E-EVENT-REFUSED', false, 1],
  [problem(401), 'E-AUTH', false, 1],
  [problem(403), 'E-AUTH', false, 1],
  [problem(404), 'E-NOT-A-SHIM', false, 1],
  [problem(405), 'E-NOT-A-SHIM', false, 1],
  [{ status: 301, json: {}, headers: { location: '/elsewhere' } }, 'E-NOT-A-SHIM', false, 1],
  [{ status: 200, json: {} }, 'E-NOT-A-SHIM', false, 1],
  [{ status: 202, text: '<html>' }, 'E-NOT-A-SHIM', false, 1],
  [problem(429), 'E-SHIM-BUSY', true, 2],
  [problem(500), 'E-SHIM-BUSY', true, 2],
  [problem(502), 'E-SHIM-BUSY', true, 2],
  [problem(503), 'E-SHIM-BUSY', true, 2],
  [problem(504), 'E-SHIM-BUSY', true, 2],
  [hangUp, 'E-SHIM-AWAY', true, 2],
];
test('what each answer becomes', { concurrency: 1 }, async (t) => {
  for (const [answer, code, retryable, tries] of FINAL) {
    await t.test(`${answer.status ?? 'hang-up'} → ${code}`, async (t) => {
      const fake = await shim(t, [answer]);
      const err = await failed(sendEventToDashboard('a', { text: SECRET }, { retries: 2 }));
      assert.ok(err instanceof EsteiraError);
      assert.deepEqual(
        [err.name, err.code, err.retryable, err.attempts],
        ['EsteiraError', code, retryable, tries],
      );
      assert.equal(fake.requests.length, tries);
      assert.deepEqual(err.ids, [fake.events()[0].id], 'the id to repeat with');
      assert.ok(
        !JSON.stringify([err.message, err.stack, err, err.cause?.message]).includes(SECRET),
      );
    });
  }
});

test('a refusal names the first fault and lists all', async (t) => {
  await shim(t, [FINAL[0][0]]);
  const err = await failed(sendEventToDashboard('a', { total: SECRET }));
  assert.match(err.message, /event 0 \/payload\/total: not a number/);
  assert.deepEqual(err.errors, [
    { index: 0, pointer: '/payload/total', code: 'E-EVENT-PAYLOAD', detail: 'not a number' },
  ]);
  assert.equal(err.status, 400);
});

test('the shim away: rejects with E-SHIM-AWAY, its cause and the number of tries', async (t) => {
  withEnv(t, { ESTEIRA_URL: `http://127.0.0.1:${await deadPort()}` });
  const start = performance.now();
  const err = await failed(sendEventToDashboard('a', {}));
  assert.deepEqual(
    [err.code, err.retryable, err.attempts, err.cause.code],
    ['E-SHIM-AWAY', true, 3, 'ECONNREFUSED'],
  );
  const took = performance.now() - start;
  assert.ok(took >= 1490 && took < 6000, `500 + 1000 ms, was ${took}`);
});

test('timeout is for one try', async (t) => {
  const fake = await shim(t, [silence, ok]);
  const start = performance.now();
  await sendEventToDashboard('a', {}, { timeout: 150 });
  const took = performance.now() - start;
  assert.ok(took >= 640 && took < 5000, `150 + 500 ms, was ${took}`);
  assert.equal(fake.requests.length, 2);
  const err = await failed(
    (await shim(t, [silence]), sendEventToDashboard('a', {}, { timeout: 50, retries: 1 })),
  );
  assert.deepEqual([err.code, err.attempts, err.cause.code], ['E-SHIM-AWAY', 1, 'ETIMEDOUT']);
});

test('Retry-After is obeyed when it fits into the timeout', async (t) => {
  const fake = await shim(t, [problem(503, {}, { 'retry-after': '1' }), ok]);
  await sendEventToDashboard('a', {});
  assert.ok(gaps(fake)[0] >= 990, `gap ${gaps(fake)[0]}`);
});

test('Retry-After as a date', async (t) => {
  const date = new Date(Date.now() + 2500).toUTCString();
  const fake = await shim(t, [problem(429, {}, { 'retry-after': date }), ok]);
  await sendEventToDashboard('a', {});
  assert.ok(gaps(fake)[0] >= 1000, `gap ${gaps(fake)[0]}`);
});

test('a longer Retry-After ends the call at once and is told', async (t) => {
  const fake = await shim(t, [problem(503, {}, { 'retry-after': '60' })]);
  const err = await failed(sendEventToDashboard('a', {}));
  assert.deepEqual(
    [err.code, err.attempts, err.retryAfter, fake.requests.length],
    ['E-SHIM-BUSY', 1, 60_000, 1],
  );
});

test('of a batch made durable by halves only the rest is repeated', async (t) => {
  const fake = await shim(t, [problem(503, { retry_ids: ['2', '3'] }), ok]);
  const result = await sendBatchEvents(
    ['1', '2', '3'].map((id) => ({ event: 'a', payload: {}, id })),
  );
  assert.deepEqual(
    fake.events().map((batch) => batch.map((ev) => ev.id)),
    [
      ['1', '2', '3'],
      ['2', '3'],
    ],
  );
  assert.deepEqual([result.accepted, result.ids], [3, ['1', '2', '3']]);
});

test('a batch that failed by halves names what is open', async (t) => {
  await shim(t, [problem(503, { retry_ids: ['3'] })]);
  const err = await failed(
    sendBatchEvents(
      ['1', '2', '3'].map((id) => ({ event: 'a', payload: {}, id })),
      { retries: 1 },
    ),
  );
  assert.deepEqual([err.code, err.accepted, err.ids], ['E-SHIM-BUSY', 2, ['3']]);
});

test('a fault in a later part is counted within the whole batch', async (t) => {
  const fault = { index: 1, pointer: '/payload/total', code: 'E-EVENT-PAYLOAD', detail: 'no' };
  await shim(t, [ok, problem(400, { errors: [fault] })]);
  const events = Array.from({ length: 6000 }, () => ({ event: 'a', payload: {} }));
  const err = await failed(sendBatchEvents(events));
  assert.equal(err.errors[0].index, 5001);
  assert.match(err.message, /event 5001 /);
});

test('a part of a large batch that fails stops the later ones', async (t) => {
  const fake = await shim(t, [ok, problem(401)]);
  const err = await failed(
    sendBatchEvents(Array.from({ length: 11_000 }, () => ({ event: 'a', payload: {} }))),
  );
  assert.deepEqual(
    [err.code, err.accepted, err.ids.length, fake.requests.length],
    ['E-AUTH', 5000, 6000, 2],
  );
});

test('a kept connection that the shim closed costs no try and no wait', async (t) => {
  const fake = await shim(t, [ok, hangUp, ok]);
  await sendEventToDashboard('a', {});
  await sendEventToDashboard('b', {}, { retries: 1 });
  assert.equal(fake.requests.length, 3);
});

test('an answer cut short is tried again', async (t) => {
  const cut = { status: 202, text: '{"id"', headers: { 'content-length': '500' } };
  const server = net.createServer((s) =>
    s.once('data', () =>
      s.end(
        `HTTP/1.1 202 Accepted\r\nContent-Length: ${cut.headers['content-length']}\r\n\r\n${cut.text}`,
      ),
    ),
  );
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => server.close());
  withEnv(t, { ESTEIRA_URL: `http://127.0.0.1:${server.address().port}` });
  const err = await failed(sendEventToDashboard('a', {}, { retries: 1 }));
  assert.equal(err.code, 'E-SHIM-AWAY');
});
