// Goal: a dashboard that is away, failing, slow or refusing our token is a pause: no loss, order per key
// kept, nothing dead-lettered, and it goes on by itself.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { scenario } from '../support/pipeline.mjs';
import { Publisher } from '../support/publisher.mjs';
import { series } from '../support/samples.mjs';
import { waitFor } from '../support/wait.mjs';

async function publish(belt, count, name) {
  const publisher = new Publisher(belt.url);
  await publisher.send([...series(count, { streams: 16, name })]);
  return publisher.accepted;
}

const answers = (belt, status) => belt.sink.requests.filter((r) => r.status === status).length;

async function settled(belt, accepted) {
  const sum = await belt.delivered(accepted);
  assert.equal(await belt.deadLetters(), 0);
  return sum;
}

scenario('down, then up', {}, async (belt) => {
  const before = await publish(belt, 200, 'antes');
  await belt.delivered(before);
  await belt.sink.stop();
  const during = await publish(belt, 400, 'durante');
  await belt.sink.start();
  const sum = await settled(belt, [...before, ...during]);
  assert.equal(sum.duplicates, 0);
});

// [status, headers, refusals to wait for]. The dashboard's status stays well meanwhile.
const REFUSALS = [
  [500, {}, 10],
  [503, { 'retry-after': '1' }, 3],
  [429, { 'retry-after': '1' }, 3],
  [404, {}, 3],
  [301, {}, 3],
];

for (const [status, headers, enough] of REFUSALS) {
  scenario(`answers ${status} for a while`, {}, async (belt) => {
    belt.sink.answerWith = ({ method }) => method === 'POST' && { status, json: {}, headers };
    const accepted = await publish(belt, 100, `s${status}`);
    await waitFor(() => `${answers(belt, status)} refusals`, () => answers(belt, status) >= enough, {
      within: 30_000,
    });
    belt.sink.answerWith = null;
    await settled(belt, accepted);
  });
}

// Other events pass, so it looks like this event's fault: as many refusals as would single it out.
scenario('answers 500 while one event is in the request', {}, async (belt) => {
  let stuck;
  belt.sink.answerWith = ({ body }) => stuck && body.includes(stuck) && { status: 500, json: {} };
  const publisher = new Publisher(belt.url);
  const events = [...series(200, { streams: 16, name: 'um' })];
  stuck = events[40].id;
  await publisher.send(events);
  await waitFor(() => `${answers(belt, 500)} refusals`, () => answers(belt, 500) >= 14, {
    within: 30_000,
  });
  stuck = undefined;
  await settled(belt, publisher.accepted);
});

scenario('hangs until the timeout', { env: { DASHBOARD_TIMEOUT: '300' } }, async (belt) => {
  belt.sink.delay = 2000;
  const accepted = await publish(belt, 50, 'lento');
  await waitFor('one attempt', () => belt.sink.server.listening && belt.sink.requests.length >= 1, {
    within: 15_000,
  });
  belt.sink.delay = 0;
  await settled(belt, accepted);
});

scenario('refuses the token, then takes the new one from the file', {}, async (belt) => {
  belt.sink.token = 'token-novo';
  const accepted = await publish(belt, 100, 'token');
  await waitFor('refused', () => answers(belt, 401) >= 1, { within: 15_000 });
  assert.equal(belt.sink.journal.length, 0);
  fs.writeFileSync(belt.tokenFile, 'token-novo\n');
  await settled(belt, accepted);
  const logs = belt.consumers[0].text();
  assert.match(logs, /E-DASH-AUTH|401/);
  assert.ok(!logs.includes('token-novo') && !logs.includes('token-velho'), 'no token in the log');
});
