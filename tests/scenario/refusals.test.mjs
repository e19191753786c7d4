// Goal: how often is tried what fails: three times quickly and then slowly; a refused token hardly ever, and
// the new one at once; and an event that alone is forbidden does not pass for a token that is refused.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { scenario } from '../support/pipeline.mjs';
import { Publisher } from '../support/publisher.mjs';
import { series } from '../support/samples.mjs';
import { waitFor } from '../support/wait.mjs';

const RETRY = {
  ESTEIRA_DESTINATIONS_DASHBOARD_RETRY_INITIAL: '500ms',
  ESTEIRA_DESTINATIONS_DASHBOARD_RETRY_MAX: '60s',
};

const statusOf = (belt, status) => belt.sink.requests.filter((r) => r.status === status);

// Other events keep passing until `until` is true.
async function meanwhile(publisher, until) {
  for (let i = 0; !until(); i++) await publisher.send([...series(20, { streams: 20, name: `outros-${i}` })]);
}

scenario('an event that fails alone: three quick tries, then a long pause', { env: RETRY }, async (belt) => {
  const [stuck] = series(1, { streams: 1, name: 'preso' });
  const tries = [];
  belt.sink.answerWith = ({ body, at }) => {
    if (!body.includes(stuck.id)) return null;
    if (tries.length === 4) return null;
    tries.push(at);
    return { status: 500, json: {} };
  };
  const publisher = new Publisher(belt.url);
  await publisher.send([stuck]);
  await meanwhile(publisher, () => tries.length === 4);
  await belt.delivered(publisher.accepted);
  const gaps = tries.slice(1).map((at, i) => at - tries[i]);
  console.log(`gaps ${gaps.map((g) => Math.round(g)).join(', ')} ms`);
  assert.ok(gaps[0] >= 495 && gaps[0] < 900, `first gap ${gaps[0]}`);
  assert.ok(gaps[1] >= 995 && gaps[1] < 1500, `second gap ${gaps[1]}`);
  assert.ok(gaps[2] >= 1495, `third gap ${gaps[2]}`);
  assert.equal(await belt.deadLetters(), 0);
});

scenario('a refused token is hardly tried, the new one at once', { env: RETRY }, async (belt) => {
  belt.sink.token = 'token-novo';
  const publisher = new Publisher(belt.url);
  await publisher.send([...series(200, { streams: 16 })]);
  const begin = await waitFor('refused', () => statusOf(belt, 401)[0]?.at);
  await waitFor('some time', () => performance.now() - begin > 6000, { within: 10_000 });
  const tried = statusOf(belt, 401).length;
  fs.writeFileSync(belt.tokenFile, 'token-novo\n');
  const changed = performance.now();
  await belt.delivered(publisher.accepted, { within: 10_000 });
  const late = belt.sink.requests.find((r) => r.status === 200).at - changed;
  console.log(`${tried} refused in 6 s; delivered ${Math.round(late)} ms after the change`);
  assert.ok(tried <= 12, `${tried} requests with the refused token`); // those in flight at first, then 0.5, 1, 2 … s
  assert.ok(late < 5000);
  assert.equal(await belt.deadLetters(), 0);
});

scenario('two tokens in the file: a rotation costs one refused request each way', { env: RETRY }, async (belt) => {
  fs.writeFileSync(belt.tokenFile, 'token-novo\ntoken-velho\n');
  const publisher = new Publisher(belt.url);
  await publisher.send([...series(100, { streams: 16, name: 'antes' })]);
  await belt.delivered(publisher.accepted, { within: 10_000 });
  belt.sink.token = 'token-novo';
  await publisher.send([...series(100, { streams: 16, name: 'depois' })]);
  const sum = await belt.delivered(publisher.accepted, { within: 10_000 });
  assert.equal(sum.duplicates, 0);
  assert.ok(statusOf(belt, 401).length <= 8, `${statusOf(belt, 401).length} refused`);
  assert.equal(await belt.deadLetters(), 0);
  assert.ok(!/token-(novo|velho)/.test(belt.consumers[0].text()), 'no token in the log');
});

for (const status of [403, 404]) {
  scenario(`one event alone is answered ${status}`, { env: RETRY }, async (belt) => {
    const publisher = new Publisher(belt.url);
    const events = [...series(300, { streams: 16 })];
    const bad = events[100];
    belt.sink.answerWith = ({ body }) => (body.includes(bad.id) ? { status, json: {} } : null);
    await publisher.send(events);
    await belt.delivered(
      events.filter((e) => e !== bad),
      { within: 60_000 },
    );
    await waitFor('a dead letter', async () => (await belt.deadLetters()) === 1, { within: 60_000, every: 200 });
    const [letter] = await belt.records(belt.deadLetterTopic('order'));
    const headers = Object.fromEntries(letter.headers);
    assert.equal(headers['esteira-error-class'], 'forbidden');
    assert.equal(headers['esteira-http-status'], String(status));
    console.log(`${statusOf(belt, status).length} requests answered ${status}`);
  });
}

// What the endpoint refuses alone and first must not take each probe of the pause for itself.
scenario('one event alone is answered 404, before the others come', { env: RETRY }, async (belt) => {
  const [bad] = series(1, { streams: 1, name: 'primeiro' });
  belt.sink.answerWith = ({ body }) => (body.includes(bad.id) ? { status: 404, json: {} } : null);
  const publisher = new Publisher(belt.url);
  await publisher.send([bad]);
  await waitFor('refused', () => statusOf(belt, 404).length > 0);
  const others = [...series(50, { streams: 16 })];
  await publisher.send(others);
  const before = statusOf(belt, 404).length;
  await belt.delivered(others);
  const took = statusOf(belt, 404).length - before;
  assert.ok(took <= 1, `${took} probes for the one that was refused before the others' turn`);
});

// [status, body that is answered]: a script that every request with events runs through in turn.
const SCRIPT = [
  [200],
  [500, {}],
  [503, {}],
  [200, { results: 'unreadable' }],
  [429, {}],
  [422, { title: 'one of them' }],
  [200],
];

scenario('the metrics count what the receiver saw', {}, async (belt) => {
  const seen = { attempts: 0, failed: 0 };
  const script = [...SCRIPT, ...SCRIPT];
  belt.sink.answerWith = ({ method, path }) => {
    if (method !== 'POST') return null;
    seen.attempts++;
    if (!path.endsWith('/batch')) return null; // where a 200 has no results to be unreadable
    const [status, json] = script.shift() ?? [200];
    if (json) seen.failed++;
    return json ? { status, json } : null;
  };
  const publisher = new Publisher(belt.url);
  for (let i = 0; script.length > 0; i++) await publisher.send([...series(20, { name: `m-${i}` })]);
  const refused = async () => (await belt.deadLetters()) + belt.sink.seen.size;
  await waitFor('all settled', async () => (await refused()) >= publisher.accepted.length, {
    within: 30_000,
    every: 200,
  });
  const { text } = await belt.consumers[0].get('/metrics');
  const sum = (name) =>
    [...text.matchAll(new RegExp(`^${name}\\{[^}]*\\} ([\\d.e+]+)$`, 'gm'))].reduce((n, [, v]) => n + Number(v), 0);
  assert.equal(sum('dashboard_event_send_duration_seconds_count'), seen.attempts);
  assert.equal(sum('dashboard_event_failure_total'), seen.failed);
  console.log(`${seen.attempts} attempts, ${seen.failed} failed`);
});
