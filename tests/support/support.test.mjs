// Goal: the tools of the scenarios tell the truth, tried on fakes.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { test } from 'node:test';
import { account } from './account.mjs';
import { jsonText, postEvent, rawRequest, request } from './http.mjs';
import { freePorts } from './ports.mjs';
import { Publisher } from './publisher.mjs';
import { draw } from './random.mjs';
import { numbered, series } from './samples.mjs';
import { Sink } from './sink.mjs';
import { waitFor, within } from './wait.mjs';

const ev = (id, stream, n) => ({ id, payload: { stream, n } });

test('account: what is lost, repeated, foreign or out of order', () => {
  const sent = [ev('a', 's', 1), ev('b', 's', 2), ev('c', 's', 3), ev('d', 'x', 1)];
  const [a, b, c, d] = sent;
  const zero = { sent: 4, delivered: 4, duplicates: 0, lost: 0, foreign: 0, disordered: 0 };
  assert.deepEqual(account(sent, [a, d, b, c]), zero);
  assert.deepEqual(
    account(sent, [a, b, a, b, c, d]),
    { ...zero, duplicates: 2 },
    'a resumed batch is no disorder',
  );
  assert.deepEqual(account(sent, [a, c, b, d]), { ...zero, disordered: 1 });
  assert.deepEqual(account(sent, [a, b, d, ev('z', 's', 9)]), {
    ...zero,
    delivered: 3,
    lost: 1,
    foreign: 1,
  });
});

test('draws: the same from the same seed, within their bounds, and a shuffle loses nothing', () => {
  const twenty = (seed) => {
    const random = draw(seed);
    return Array.from({ length: 20 }, () => random.upTo(3));
  };
  assert.deepEqual(twenty(7), twenty(7));
  assert.notDeepEqual(twenty(7), twenty(8));
  assert.deepEqual([...new Set([...twenty(1), ...twenty(2)])].sort(), [0, 1, 2, 3]);
  const deck = ['a', 'b', 'c', 'd', 'e'];
  assert.deepEqual(draw(3).shuffle(deck).sort(), deck);
});

test('free ports differ, and no outgoing connection is given one of them', async () => {
  const both = await Promise.all([freePorts(30), freePorts(30)]);
  const ports = [...both.flat(), ...(await freePorts(30)), ...(await freePorts(30))];
  assert.equal(new Set(ports).size, 120, 'also from those that were given away before');
  const range = fs.readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
  const first = Number(range.trim().split(/\s+/)[0]);
  assert.ok(
    ports.every((port) => port < first),
    `${ports} are below ${first}`,
  );
});

test('series numbers each stream on its own', () => {
  const all = [...series(5, { streams: 2, name: 's' })];
  assert.deepEqual(
    all.map((e) => `${e.payload.stream}:${e.payload.n}`),
    ['s-0:1', 's-1:1', 's-0:2', 's-1:2', 's-0:3'],
  );
});

test('waitFor and within give up with a reason', async () => {
  let asked = 0;
  assert.equal(await waitFor('three', () => ++asked === 3 && 'yes'), 'yes');
  await assert.rejects(
    waitFor(
      () => `asked ${asked}`,
      () => false,
      { within: 50 },
    ),
    /not within \d+ ms: asked 3/,
  );
  await assert.rejects(within(20, 'an answer', new Promise(() => {})), /an answer/);
});

test('jsonText writes big integers as digits', () => {
  assert.equal(
    jsonText({ a: 9007199254740993n, b: ['x', -1n] }),
    '{"a":9007199254740993,"b":["x",-1]}',
  );
});

async function sink(t, options) {
  const made = await new Sink(options).start();
  t.after(() => made.stop());
  return made;
}
const post = (s, path, json, headers) =>
  request(s.url, 'POST', path, { headers, body: JSON.stringify(json) });

test('sink: one event and a batch, repeats told, journal in order', async (t) => {
  const s = await sink(t);
  const [a, b] = [numbered('s', 1), numbered('s', 2)];
  assert.deepEqual((await post(s, '/api/v1/events', a)).json, { id: a.id, duplicate: false });
  const { json } = await post(s, '/api/v1/events/batch', { events: [a, b] });
  assert.deepEqual(
    json.results.map((r) => [r.id, r.status, r.duplicate]),
    [
      [a.id, 200, true],
      [b.id, 201, false],
    ],
  );
  assert.deepEqual(s.journal, [a, a, b]);
});

test('sink: refuses an event, and what depends on it in the batch', async (t) => {
  const s = await sink(t);
  s.refuses = (event) =>
    event.id === 'bad' ? { code: 'E-X', detail: 'no', pointer: '/payload' } : null;
  const item = (id, key) => ({ id, key, payload: {} });
  const { json } = await post(s, '/api/v1/events/batch', {
    events: [item('bad', 'k'), item('2', 'k'), item('3', 'z')],
  });
  assert.deepEqual(
    json.results.map((r) => r.status),
    [422, 424, 201],
  );
});

test('sink: token, forced answers, away and back on its port', async (t) => {
  const s = await sink(t, { token: 'x' });
  assert.equal((await post(s, '/api/v1/events', numbered('s', 1))).status, 401);
  s.answerWith = () => ({ status: 503, json: {}, headers: { 'retry-after': '1' } });
  assert.equal((await post(s, '/api/v1/events', numbered('s', 1))).headers['retry-after'], '1');
  s.answerWith = null;
  await s.stop();
  await assert.rejects(post(s, '/api/v1/events', numbered('s', 1), { authorization: 'Bearer x' }));
  await s.start();
  assert.equal(
    (await post(s, '/api/v1/events', numbered('s', 1), { authorization: 'Bearer x' })).status,
    201,
  );
});

test('publisher repeats the same ids until 202 and keeps each stream in order', async (t) => {
  const bodies = [];
  const server = http.createServer((req, res) => {
    let body = '';
    req.on('data', (c) => {
      body += c;
    });
    req.on('end', () => {
      bodies.push(body);
      if (bodies.length % 3 === 1) return req.socket.destroy();
      return res.writeHead(bodies.length % 3 === 2 ? 503 : 202).end('{}');
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const publisher = new Publisher(`http://127.0.0.1:${server.address().port}`);
  await publisher.sendStreams({ s: [...series(4, { streams: 1 })] }, { batch: 2 });
  assert.equal(publisher.repeats, 4);
  assert.equal(new Set(bodies).size, 2);
  assert.deepEqual(
    publisher.accepted.map((e) => e.payload.n),
    [1, 2, 3, 4],
  );
});

test('postEvent and rawRequest see what the server answers', async (t) => {
  const server = http.createServer((req, res) =>
    res.writeHead(400, { 'content-type': 'application/json' }).end('{"status":400}'),
  );
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address();
  assert.equal((await postEvent(`http://127.0.0.1:${port}`, { a: 1n })).json.status, 400);
  const raw = await rawRequest(
    port,
    ['GET / HTTP/1.1\r\n', 'Host: x\r\nConnection: close\r\n\r\n'],
    { until: () => false },
  );
  assert.deepEqual([raw.status, raw.answers, raw.closed], [400, 1, true]);
});
