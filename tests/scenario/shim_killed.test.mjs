// Goal: a sender that repeats until 202 loses nothing when the shim dies, again and again, and each
// stream stays in order.

import { scenario } from '../support/pipeline.mjs';
import { Publisher } from '../support/publisher.mjs';
import { series } from '../support/samples.mjs';
import { waitFor } from '../support/wait.mjs';

scenario('SIGKILL of the shim while a bot sends', {}, async (belt) => {
  const publisher = new Publisher(belt.url);
  const streams = Object.fromEntries(
    Array.from({ length: 16 }, (_, s) => [s, [...series(250, { streams: 1, name: `fluxo-${s}` })]]),
  );
  const publishing = publisher.sendStreams(streams, { batch: 5 });
  for (const share of [500, 1500, 2500]) {
    await publisher.acceptedCount(share, { within: 60_000, every: 1 });
    await belt.shim.kill();
    await belt.shim.start();
  }
  await publishing;
  await belt.delivered(publisher.accepted);
  await belt.conserved();
  await waitFor('sent while it was away', () => publisher.repeats > 0);
});
