// Goal: what was acknowledged stays, whatever happens to the process or its disk; what was not leaves no
// half behind; and open pages are told what happens.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { program } from '../support/paths.mjs';
import { waitFor, within } from '../support/wait.mjs';
import { Dashboard } from './dashboard.mjs';
import { follow } from './live.mjs';

const SIZE = 50;
const batchOf = (n) =>
  Array.from({ length: SIZE }, (_, i) => ({
    id: `${n}-${i}`,
    event: 'order_created',
    key: `k${i % 7}`,
    payload: { order_id: `${n}-${i}`, total: 1, from: `55119999${1000 + i}` },
  }));
const statuses = (answer) => [...new Set(answer.json.results.map((r) => r.status))];

test('SIGTERM ends with 0, and everything is there again', async (t) => {
  const d = await Dashboard.start(t);
  await d.batch(batchOf('a'));
  const before = await d.metrics();
  const how = await d.daemon.stop();
  assert.equal(how.code, 0);
  await d.daemon.start();
  const after = await d.metrics();
  assert.deepEqual({ ...after, at: 0 }, { ...before, at: 0 });
  assert.deepEqual(statuses(await d.batch(batchOf('a'))), [200]);
});

test('SIGTERM with pages and idle connections open does not wait for them', async (t) => {
  const d = await Dashboard.start(t);
  const page = follow(d);
  await waitFor('the page is greeted', () => page.messages.length >= 2);
  const how = await d.daemon.stop();
  assert.equal(how.code, 0);
  assert.ok(how.ms < 4000, `${how.ms} ms`);
  assert.equal(await within(2000, 'the stream ends', page.closed), 200);
});

test('killed in mid-batch: all acknowledged are kept, no batch by halves', async (t) => {
  const d = await Dashboard.start(t);
  const kept = new Set();
  let next = 0;
  for (let life = 0; life < 4; life++) {
    const tried = [];
    let killed = false;
    const poster = async () => {
      while (!killed) {
        const n = next++;
        tried.push(n);
        const answer = await d.batch(batchOf(n)).catch(() => null);
        if (answer?.status === 200) kept.add(n);
        else return;
      }
    };
    const posters = [poster(), poster(), poster(), poster()];
    const goal = kept.size + 20 + Math.floor(Math.random() * 30);
    await waitFor('some batches are acknowledged', () => kept.size >= goal, { every: 1 });
    await d.daemon.kill();
    killed = true;
    await Promise.all(posters);
    await d.daemon.start();
    for (const n of tried) {
      const found = statuses(await d.batch(batchOf(n)));
      if (kept.has(n)) assert.deepEqual(found, [200], `batch ${n} was acknowledged`);
      assert.equal(found.length, 1, `batch ${n} is there whole or not at all`);
      kept.add(n);
    }
    assert.equal((await d.status()).events, kept.size * SIZE);
  }
  assert.equal((await d.metrics()).orders.total, kept.size * SIZE);
  await d.daemon.stop();
  d.audit();
});

test('a full disk is 503 with Retry-After, nothing is kept by halves, and reading goes on', async (t) => {
  const d = await Dashboard.start(t, { shell: 'trap "" XFSZ; ulimit -f 600' });
  let n = 0;
  let answer;
  for (;;) {
    answer = await d.batch(batchOf(n));
    if (answer.status !== 200) break;
    assert.ok(++n < 2000, 'the limit is reached');
  }
  assert.equal(answer.status, 503, answer.text);
  assert.match(answer.headers['retry-after'], /^\d+$/);
  assert.equal((await d.batch(batchOf(n))).status, 503, 'still');
  assert.equal((await d.call('GET', '/readyz')).status, 503);
  assert.equal((await d.status()).events, n * SIZE);
  assert.equal((await d.metrics()).orders.total, n * SIZE);
  await d.daemon.kill();
  Object.assign(d.daemon, d.command(''));
  await d.daemon.start();
  assert.equal((await d.status()).events, n * SIZE);
  assert.deepEqual(statuses(await d.batch(batchOf(n))), [201]);
  await d.daemon.stop();
  d.audit();
});

test('a second dashboard on the same file stays out', async (t) => {
  const d = await Dashboard.start(t);
  const run = () => {
    try {
      execFileSync(program('esteira-dashboard'), ['--audit'], { cwd: d.dir, env: d.env, stdio: 'pipe' });
      return 0;
    } catch (error) {
      return error.status;
    }
  };
  assert.equal(run(), 74, 'the file is held');
  await d.daemon.stop();
  assert.equal(run(), 0);
});

test('an open page is told numbers and rows, and goes on where it was', async (t) => {
  const d = await Dashboard.start(t);
  const page = follow(d);
  await waitFor('the greeting', () => page.messages.some((m) => m.event === 'rows' && m.data.reset));
  await d.event({ id: 'one', event: 'order_created', payload: { order_id: '1' } });
  await waitFor('its row', () => page.messages.some((m) => m.data.rows?.[0]?.id === 'one'), { within: 1500 });
  const metrics = () => page.messages.filter((m) => m.event === 'metrics').at(-1).data;
  assert.equal(metrics().orders.total, 1);

  for (let n = 0; n < 10; n++) await d.batch(batchOf(n));
  await waitFor('the last numbers', () => metrics().orders.total === 501);
  const told = page.messages.filter((m) => m.event === 'rows' && !m.data.reset).map((m) => m.data);
  assert.ok(told.every((m) => m.rows.length <= 10));
  assert.equal(told.reduce((sum, m) => sum + m.rows.length + m.more, 0), 501);

  const { id } = page.messages.filter((m) => m.event === 'rows').at(-1);
  page.close();
  await d.event({ id: 'two', event: 'order_created', payload: { order_id: '2' } });
  const back = follow(d, { 'last-event-id': id });
  await waitFor('what it missed', () => back.messages.some((m) => m.event === 'rows'));
  const { data } = back.messages.find((m) => m.event === 'rows');
  assert.deepEqual(data.rows.map((row) => row.id), ['two']);
  assert.equal(data.reset, undefined);
  back.close();
});

test('there is a sign of life at least every five seconds, and room for 64 pages', async (t) => {
  const d = await Dashboard.start(t);
  const pages = Array.from({ length: 64 }, () => follow(d));
  await waitFor('all are greeted', () => pages.every((page) => page.messages.length >= 2));
  const full = await d.call('GET', '/live');
  assert.equal(full.status, 503);
  assert.ok(full.headers['retry-after']);
  await waitFor('a sign of life', () => pages.every((page) => page.messages.length >= 3), { within: 6500 });
  pages.forEach((page) => page.close());
});
