// Goal: consumers that send with one token share its request budget: they use nearly all of it, are told
// 429 hardly ever, and when one is, none of them starts a request until the time that it names has passed.
// Without Redis each keeps to its own part.

import assert from 'node:assert/strict';
import { scenario } from '../support/pipeline.mjs';
import { Publisher } from '../support/publisher.mjs';
import { series } from '../support/samples.mjs';
import { waitFor } from '../support/wait.mjs';

const LIMIT = 50;
const WINDOW = 5000; // ms
const LIMITED = {
  ESTEIRA_DESTINATIONS_DASHBOARD_RATE_LIMIT: String(LIMIT),
  ESTEIRA_DESTINATIONS_DASHBOARD_RATE_WINDOW: `${WINDOW}ms`,
  ESTEIRA_DESTINATIONS_DASHBOARD_BATCH_COUNT: '100',
  ESTEIRA_DESTINATIONS_DASHBOARD_BATCH_COUNT_MAX: '100',
};

async function publish(belt, count, name) {
  const publisher = new Publisher(belt.url);
  for (let i = 0; i < count; i += 1000)
    await publisher.send([...series(1000, { streams: 997, name: `${name}-${i}` })]);
  return publisher.accepted;
}

// A receiver that counts the requests of any window, and refuses what is too much.
function countStrictly(sink) {
  const times = [];
  sink.answerWith = ({ at }) => {
    while (times.length > 0 && at - times[0] >= WINDOW) times.shift();
    if (times.length >= LIMIT) return { status: 429, json: {}, headers: { 'retry-after': '1' } };
    times.push(at);
    return null;
  };
}

// Requests, and how many of them were refused, in `length` ms from the first one that waited.
function used(sink, length) {
  const begin = sink.requests[0].at + 500;
  const some = sink.requests.filter((r) => r.at >= begin && r.at < begin + length);
  return { n: some.length, refused: some.filter((r) => r.status === 429).length };
}

for (const [name, redis, least] of [
  ['through Redis', true, 0.9],
  ['alone', false, 0.8],
]) {
  scenario(`three consumers, one budget, ${name}`, { consumers: 3, redis, env: LIMITED }, async (belt) => {
    countStrictly(belt.sink);
    const accepted = await publish(belt, 20_000, 'orçamento');
    await belt.delivered(accepted);
    const begin = belt.sink.requests[0].at;
    const length = Math.min(15_000, belt.sink.requests.at(-1).at - begin - 1000);
    const { n, refused } = used(belt.sink, length);
    const share = n / ((length / WINDOW) * LIMIT);
    console.log(`${name}: ${n} requests in ${Math.round(length)} ms, ${(share * 100).toFixed(1)} %, ${refused} refused`);
    assert.ok(length > 10_000, `${length} ms is too short to judge`);
    assert.ok(share >= least, `${share} of the budget was used`);
    assert.ok(refused <= n / 100, `${refused} of ${n} were refused`);
    assert.equal(await belt.deadLetters(), 0);
  });
}

const FORMS = {
  seconds: () => ({ text: '3', ms: 3000 }),
  date: () => {
    const text = new Date(Date.now() + 4000).toUTCString();
    return { text, ms: Date.parse(text) - Date.now() };
  },
};

for (const [form, say] of Object.entries(FORMS)) {
  scenario(`a 429 holds every consumer, Retry-After in ${form}`, { consumers: 2, redis: true }, async (belt) => {
    let closed;
    belt.sink.delay = 5;
    const stop = { now: false };
    const publisher = new Publisher(belt.url);
    const streams = Object.fromEntries(
      Array.from({ length: 16 }, (_, s) => [s, [...series(4000, { streams: 1, name: `f${s}` })]]),
    );
    const publishing = publisher.sendStreams(streams, { batch: 2, until: () => stop.now });
    const others = () => new Set(belt.sink.requests.map((r) => r.headers['user-agent'])).size;
    await waitFor('traffic', () => belt.sink.requests.length > 200 && others() > 0, { within: 30_000 });
    belt.sink.answerWith = () => {
      if (closed) return null;
      const { text, ms } = say();
      closed = { at: performance.now(), until: performance.now() + ms };
      return { status: 429, json: {}, headers: { 'retry-after': text } };
    };
    await waitFor('goes on', () => closed && belt.sink.requests.some((r) => r.at > closed.until + 200), {
      within: 30_000,
    });
    stop.now = true;
    await publishing;
    const early = belt.sink.requests.filter((r) => r.at > closed.at + 250 && r.at < closed.until);
    const last = Math.max(...belt.sink.requests.filter((r) => r.at < closed.until).map((r) => r.at));
    console.log(`${form}: the last request started ${(last - closed.at).toFixed(1)} ms after the 429`);
    assert.equal(early.length, 0, `${early.length} requests while closed`);
    await belt.delivered(publisher.accepted);
    assert.equal(await belt.deadLetters(), 0);
  });
}

// Attempts that came after the breakers of both had opened.
scenario('while the dashboard is down all consumers together probe once a period', {
  consumers: 3,
  redis: true,
  env: { ESTEIRA_DESTINATIONS_DASHBOARD_RETRY_INITIAL: '500ms', ESTEIRA_DESTINATIONS_DASHBOARD_RETRY_MAX: '60s' },
}, async (belt) => {
  const publisher = new Publisher(belt.url);
  await publisher.send([...series(600, { streams: 97, name: 'antes' })]);
  await belt.delivered(publisher.accepted);
  const failed = [];
  belt.sink.answerWith = ({ at }) => {
    failed.push(at);
    return { status: 503, json: {} };
  };
  for (let i = 0; i < 10; i++) await publisher.send([...series(200, { streams: 97, name: `durante-${i}` })]);
  await waitFor('an outage of 8 s', () => failed.length > 0 && performance.now() - failed[0] > 8000, { within: 20_000 });
  belt.sink.answerWith = null;
  const up = performance.now();
  await belt.delivered(publisher.accepted, { within: 20_000 });
  const probes = failed.filter((at) => at > failed[0] + 1500);
  const gaps = probes.slice(1).map((at, i) => at - probes[i]);
  const last = Math.max(...belt.sink.requests.map((r) => r.at));
  console.log(`${failed.length} requests in 8 s, then ${gaps.map(Math.round)} ms apart; caught up ${Math.round(last - up)} ms after`);
  assert.ok(gaps.every((gap) => gap >= 450), `gaps ${gaps}`);
  assert.ok(probes.length <= 7, `${probes.length} probes`);
  assert.equal(await belt.deadLetters(), 0);
});
