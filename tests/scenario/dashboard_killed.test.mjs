// Goal: the reference dashboard dies by SIGKILL between receiving and answering: after its restart every
// event is counted, and each once.

import assert from 'node:assert/strict';
import { scenario } from '../support/pipeline.mjs';
import { Publisher } from '../support/publisher.mjs';
import { series } from '../support/samples.mjs';
import { waitFor } from '../support/wait.mjs';

const total = async (belt) => (await belt.askDashboard('/api/v1/metrics'))?.events.total ?? 0;

scenario('SIGKILL of the dashboard while events come in', { dashboard: true }, async (belt) => {
  const publisher = new Publisher(belt.url);
  const streams = Object.fromEntries(
    Array.from({ length: 16 }, (_, s) => [s, [...series(150, { streams: 1, name: `fluxo-${s}` })]]),
  );
  const publishing = publisher.sendStreams(streams, { batch: 5 });
  for (const share of [300, 1200]) {
    await waitFor('some are there', async () => (await total(belt)) >= share, { within: 60_000 });
    await belt.dashboard.kill();
    await belt.dashboard.start();
  }
  await publishing;
  const sent = publisher.accepted.length;
  await waitFor(
    async () => `${await total(belt)} of ${sent}`,
    async () => (await total(belt)) >= sent,
    { within: 60_000 },
  );
  assert.equal(await total(belt), sent, 'each once');
  assert.equal(await belt.deadLetters(), 0);
});
