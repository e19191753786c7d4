// Goal: only who holds the token gets in; without one, only this machine; the page is served safely.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { request } from '../support/http.mjs';
import { waitFor, within } from '../support/wait.mjs';
import { Dashboard, assertProblem } from './dashboard.mjs';

const guarded = [
  ['POST', '/api/v1/events'],
  ['POST', '/api/v1/events/batch'],
  ['GET', '/api/v1/status'],
  ['GET', '/api/v1/metrics'],
  ['GET', '/api/v1/recent'],
  ['GET', '/live'],
  ['GET', '/metrics'],
];

test('without the token everything but health is closed', async (t) => {
  const d = await Dashboard.start(t, { token: 'segredo' });
  for (const [method, route] of guarded)
    for (const authorization of ['', 'Bearer ', 'Bearer segred', 'Bearer segredo1', 'Basic segredo', 'segredo']) {
      const body = method === 'POST' ? '{}' : undefined;
      const answer = await d.call(method, route, { body, headers: { authorization } });
      assertProblem(answer, 401);
      assert.match(answer.headers['www-authenticate'], /^Bearer/);
    }
  const bare = { headers: { authorization: '' } };
  assert.equal((await d.call('GET', '/healthz', bare)).text, 'ok\n');
  assert.deepEqual((await d.call('GET', '/readyz', bare)).json, { ready: true, reasons: [] });
  assert.equal((await d.call('GET', '/api/v1/status')).status, 200);
  assert.doesNotMatch(d.daemon.text(), /segredo/, 'the log keeps the secret');
});

test('a token file is read again when it changes', async (t) => {
  const dir = fs.mkdtempSync(path.join(process.env.TMPDIR ?? '/tmp', 'esteira-token-'));
  const file = path.join(dir, 'token');
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  fs.writeFileSync(file, 'um\n');
  const d = await Dashboard.start(t, { env: { ESTEIRA_DASHBOARD_TOKEN_FILE: file } });
  const status = async (token) =>
    (await d.call('GET', '/api/v1/status', { headers: { authorization: `Bearer ${token}` } })).status;
  assert.equal(await status('um'), 200);
  fs.writeFileSync(file, 'dois\n');
  await waitFor('the new token is taken', async () => (await status('dois')) === 200);
  assert.equal(await status('um'), 401);
  fs.rmSync(file);
  assert.equal(await status('dois'), 200, 'a file that is away leaves the token in force');
});

test('without a token a foreign name or a public address is refused', async (t) => {
  const d = await Dashboard.start(t);
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io:3001'])
    assertProblem(await d.call('GET', '/api/v1/status', { headers: { host } }), 403);
  for (const host of ['localhost', `localhost:${d.port}`, `[::1]:${d.port}`, '127.0.0.1'])
    assert.equal((await d.call('GET', '/api/v1/status', { headers: { host } })).status, 200);
  const everywhere = { ESTEIRA_DASHBOARD_LISTEN: `0.0.0.0:${d.port}` };
  const open = await Dashboard.start(t, { env: everywhere, ready: false });
  assert.equal((await within(5000, 'it refuses to start', open.daemon.exited)).code, 78);
});

test('the page comes with its policy, and is not sent twice', async (t) => {
  const d = await Dashboard.start(t, { token: 'segredo' });
  for (const route of ['/', '/index.html', '/app.js', '/app.css', '/texts.js', '/icon.svg']) {
    const answer = await request(d.base, 'GET', route);
    assert.equal(answer.status, 200, route);
    assert.equal(
      answer.headers['content-security-policy'],
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    );
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    const known = { 'if-none-match': answer.headers.etag };
    assert.equal((await request(d.base, 'GET', route, { headers: known })).status, 304);
  }
  assertProblem(await request(d.base, 'GET', '/../etc/passwd'), 404);
  assertProblem(await request(d.base, 'POST', '/index.html', { body: '' }), 404);
});

test('wrong methods and limits', async (t) => {
  const d = await Dashboard.start(t);
  const get = await request(d.base, 'GET', '/api/v1/events');
  assertProblem(get, 405);
  assert.equal(get.headers.allow, 'POST');
  for (const limit of ['0', '201', '-1', 'x', ''])
    assertProblem(await d.call('GET', `/api/v1/recent?limit=${limit}`), 400);
});

test('metrics for Prometheus count requests and events', async (t) => {
  const d = await Dashboard.start(t);
  await d.event({ id: 'a', event: 'x', payload: {} });
  await d.event({ id: 'a', event: 'x', payload: {} });
  await d.event({ id: 'b' });
  const { text } = await d.call('GET', '/metrics');
  for (const outcome of ['new', 'duplicate', 'refused'])
    assert.match(text, new RegExp(`^esteira_dashboard_events_total\\{outcome="${outcome}"\\} 1$`, 'm'));
  assert.match(text, /^esteira_dashboard_requests_total\{route="\/api\/v1\/events",status="422"\} 1$/m);
  assert.match(text, /^esteira_ready 1$/m);
});
