'use strict';
// Goal: the dashboard's status and metrics through the shim, and what is said when it is away.

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { getDashboardStatus, getDashboardMetrics, EsteiraError } = require('..');
const { fakeShim, problem, hangUp, withEnv } = require('./fake_shim');

async function shim(t, script) {
  const fake = await fakeShim(t, script);
  withEnv(t, { ESTEIRA_URL: fake.url, ESTEIRA_TOKEN: 'sesame' });
  return fake;
}
const failed = (promise) =>
  promise.then(
    () => assert.fail('resolved'),
    (err) => err,
  );

test('status and metrics are passed through', async (t) => {
  const fake = await shim(t, [
    { status: 200, json: { status: 'ok' } },
    { status: 200, json: { events: { total: 3 } } },
  ]);
  assert.deepEqual(await getDashboardStatus(), { status: 'ok' });
  assert.deepEqual(await getDashboardMetrics(), { events: { total: 3 } });
  assert.deepEqual(
    fake.requests.map((r) => `${r.method} ${r.path} ${r.headers.authorization}`),
    ['GET /v1/dashboard/status Bearer sesame', 'GET /v1/dashboard/metrics Bearer sesame'],
  );
});

test('the dashboard offline', async (t) => {
  await shim(t, [
    problem(
      503,
      { title: 'The dashboard is offline', offline_since: '2026-11-24T17:37:21Z' },
      { 'retry-after': '5' },
    ),
  ]);
  const err = await failed(getDashboardStatus());
  assert.ok(err instanceof EsteiraError);
  assert.deepEqual(
    [err.code, err.retryable, err.offlineSince, err.retryAfter],
    ['E-DASH-DOWN', true, '2026-11-24T17:37:21Z', 5000],
  );
  assert.match(err.message, /offline since 2026-11-24T17:37:21Z/);
});

for (const [answer, code] of [
  [problem(401), 'E-AUTH'],
  [problem(503), 'E-SHIM-BUSY'],
  [problem(404), 'E-NOT-A-SHIM'],
  [{ status: 200, text: 'ok' }, 'E-NOT-A-SHIM'],
  [hangUp, 'E-SHIM-AWAY'],
]) {
  test(`${answer.status ?? 'hang-up'} → ${code}, one try`, async (t) => {
    const fake = await shim(t, [answer]);
    assert.equal((await failed(getDashboardMetrics())).code, code);
    assert.equal(fake.requests.length, 1);
  });
}
