// Goal: a consumer that dies in mid-stream costs no event and no order; another takes over, and it comes
// back by a plain start.

import assert from 'node:assert/strict';
import { scenario } from '../support/pipeline.mjs';
import { Publisher } from '../support/publisher.mjs';
import { series } from '../support/samples.mjs';
import { waitFor } from '../support/wait.mjs';

const EVENTS = 3000;

async function publishAll(belt) {
  const publisher = new Publisher(belt.url);
  const all = [...series(EVENTS, { streams: 32 })];
  for (let i = 0; i < all.length; i += 500) await publisher.send(all.slice(i, i + 500));
  return publisher.accepted;
}

const reached = (belt, n) =>
  waitFor(
    () => `${belt.sink.journal.length} of ${n}`,
    () => belt.sink.journal.length >= n,
    { within: 60_000, every: 2 },
  );

scenario('one of two dies by SIGKILL, the other takes over', { consumers: 2 }, async (belt) => {
  belt.sink.delay = 20;
  const publishing = publishAll(belt);
  await reached(belt, EVENTS * 0.2);
  await belt.consumers[0].kill();
  const accepted = await publishing;
  await belt.delivered(accepted);
  assert.equal(await belt.deadLetters(), 0);
  await belt.conserved();
});

scenario('the only one dies three times and is started again', {}, async (belt) => {
  belt.sink.delay = 20;
  const publishing = publishAll(belt);
  for (const share of [0.1, 0.3, 0.6]) {
    await reached(belt, EVENTS * share);
    await belt.consumers[0].kill();
    await belt.consumers[0].start({ ready: false });
  }
  const accepted = await publishing;
  await belt.delivered(accepted, { within: 90_000 });
  assert.equal(await belt.deadLetters(), 0);
  await belt.conserved();
});

// Commits come quickly here, so that one that ran ahead of delivery would be seen.
const EAGER = { ESTEIRA_CONSUMER_COMMIT_INTERVAL: '10ms' };

scenario('it dies while the dashboard refuses what it holds', { env: EAGER }, async (belt) => {
  const publishing = publishAll(belt);
  await reached(belt, EVENTS * 0.2);
  belt.sink.answerWith = () => ({ status: 503, json: {} });
  const refused = () => belt.sink.requests.filter((r) => r.status === 503).length;
  await waitFor('several refusals', () => refused() >= 10, { within: 15_000 });
  await belt.consumers[0].kill();
  belt.sink.answerWith = null;
  await belt.consumers[0].start({ ready: false });
  await belt.delivered(await publishing, { within: 90_000 });
  await belt.conserved();
});
