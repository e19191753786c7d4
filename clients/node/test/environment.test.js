'use strict';
// Goal: which names of the environment choose the shim, and that an old .env cannot pass it by.

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { sendEventToDashboard, getDashboardStatus } = require('..');
const { endpoint } = require('../lib/endpoint');
const { fakeShim, withEnv } = require('./fake_shim');

const ROOT = path.join(__dirname, '..');
const failed = (promise) =>
  promise.then(
    () => assert.fail('was accepted'),
    (err) => err,
  );

// Runs `code` in a Node of its own; standard output and error come back.
function run(code, env) {
  const { PATH } = process.env;
  return spawnSync(process.execPath, ['-e', code], {
    cwd: ROOT,
    env: { PATH, ...env },
    encoding: 'utf8',
    timeout: 20_000,
  });
}

test('where events go', () => {
  const cases = [
    [{}, 'http://127.0.0.1:3002'],
    [{ ESTEIRA_URL: 'http://10.0.0.1:8080' }, 'http://10.0.0.1:8080'],
    [{ ESTEIRA_URL: 'https://entrada.example/base/' }, 'https://entrada.example/base'],
    [{ ESTEIRA_URL: 'http://[::1]:3002' }, 'http://[::1]:3002'],
    [{ ESTEIRA_URL: 'unix:/a/b.sock' }, 'unix:/a/b.sock'],
    [{ ESTEIRA_SOCKET: '/a/b.sock' }, 'unix:/a/b.sock'],
    [{ ESTEIRA_URL: 'http://a:1', ESTEIRA_SOCKET: '/a/b.sock' }, 'http://a:1'],
    [{ DASHBOARD_URL: 'http://panel:3001' }, 'http://127.0.0.1:3002'],
  ];
  for (const [env, label] of cases) assert.equal(endpoint(env).label, label, JSON.stringify(env));
});

for (const wrong of [
  'ftp://a',
  '127.0.0.1:3002',
  'unix:relative',
  'http://user:secret@a/',
  'http://a/?x=1',
  'nonsense',
]) {
  test(`ESTEIRA_URL=${wrong} is refused`, async (t) => {
    withEnv(t, { ESTEIRA_URL: wrong });
    const err = await failed(sendEventToDashboard('a', {}));
    assert.equal(err.code, 'E-CONFIG');
    assert.match(err.message, /ESTEIRA_URL/);
    assert.ok(!err.message.includes('secret'));
  });
}

test('with DASHBOARD_URL of the old service nothing reaches the dashboard, and the error says why', async (t) => {
  const dashboard = await fakeShim(t);
  withEnv(t, { DASHBOARD_URL: dashboard.url, DASHBOARD_TOKEN: 'old-secret' });
  const err = await failed(sendEventToDashboard('a', {}, { retries: 1 }));
  assert.equal(err.code, 'E-SHIM-AWAY');
  assert.match(err.message, /DASHBOARD_URL is set but not used.*ESTEIRA_URL/);
  const asked = await failed(getDashboardStatus());
  assert.match(asked.message, /ESTEIRA_URL/);
  assert.equal(dashboard.requests.length, 0);
});

const SEND = `const {sendEventToDashboard} = require('./index.js');
  const quiet = () => {};
  sendEventToDashboard('a', {}, {retries: 1}).catch(quiet).then(() => sendEventToDashboard('b', {}, {retries: 1})).catch(quiet)`;

test('one warning line a process, and only for an old .env', () => {
  const old = run(SEND, {
    DASHBOARD_URL: 'http://user:old-secret@127.0.0.1:9',
    DASHBOARD_TOKEN: 'old-secret',
  });
  assert.equal(old.status, 0);
  assert.equal(old.stderr.match(/DASHBOARD_URL names the dashboard/g)?.length, 1);
  assert.match(old.stderr, /ESTEIRA_URL/);
  assert.ok(!old.stderr.includes('old-secret'));
  const told = run(SEND, {
    DASHBOARD_URL: 'http://127.0.0.1:9',
    ESTEIRA_URL: 'http://127.0.0.1:9',
  });
  assert.equal(told.stderr, '');
});

test('a process that has sent its events ends by itself', async (t) => {
  const fake = await fakeShim(t);
  const { PATH } = process.env;
  const { spawn } = require('node:child_process');
  const start = performance.now();
  const child = spawn(
    process.execPath,
    ['-e', `require('./index.js').sendEventToDashboard('a', {}).then(r => console.log(r.success))`],
    { cwd: ROOT, env: { PATH, ESTEIRA_URL: fake.url } },
  );
  let out = '';
  child.stdout.on('data', (d) => {
    out += d;
  });
  const code = await new Promise((done) => child.on('close', done));
  assert.deepEqual([code, out.trim()], [0, 'true']);
  assert.ok(performance.now() - start < 20_000, 'did not wait for an idle connection');
});

test('a process stays alive while a call is between tries', () => {
  const waited = run(
    `const s = performance.now(); require('./index.js').sendEventToDashboard('a', {}, {retries: 2})
    .catch((e) => console.log(e.attempts, performance.now() - s > 490))`,
    { ESTEIRA_URL: 'http://127.0.0.1:9' },
  );
  assert.equal(waited.stdout.trim(), '2 true');
});
