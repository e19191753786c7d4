// Goal: Kafka dies by SIGKILL, or freezes, while a bot sends and repeats until 202: it comes back, and
// every event that got its 202 is delivered, in order per key.

import assert from 'node:assert/strict';
import { scenario } from '../support/pipeline.mjs';
import { Publisher } from '../support/publisher.mjs';
import { series } from '../support/samples.mjs';
import { waitFor } from '../support/wait.mjs';

function start(belt, each) {
  const publisher = new Publisher(belt.url);
  const streams = Object.fromEntries(
    Array.from({ length: 16 }, (_, s) => [
      s,
      [...series(each, { streams: 1, name: `fluxo-${s}` })],
    ]),
  );
  return { publisher, publishing: publisher.sendStreams(streams, { batch: 5 }) };
}

scenario('SIGKILL and restart', { ownKafka: true, consumers: 2 }, async (belt) => {
  const { publisher, publishing } = start(belt, 200);
  await publisher.acceptedCount(1000, { within: 60_000, every: 1 });
  await belt.kafka.kill();
  await waitFor('the sender is told to repeat', () => publisher.repeats > 0, { within: 20_000 });
  await belt.kafka.start();
  await publishing;
  await belt.delivered(publisher.accepted, { within: 90_000 });
  await belt.conserved();
  assert.equal(await belt.deadLetters(), 0);
  assert.ok(
    [belt.shim, ...belt.consumers].every((daemon) => daemon.running),
    'nobody needed a restart',
  );
});

scenario('frozen for a while', { ownKafka: true }, async (belt) => {
  const { publisher, publishing } = start(belt, 100);
  await publisher.acceptedCount(500, { within: 60_000, every: 1 });
  await belt.kafka.freeze();
  await waitFor('the sender is told to repeat', () => publisher.repeats > 0, { within: 20_000 });
  await belt.kafka.thaw();
  await publishing;
  await belt.delivered(publisher.accepted, { within: 90_000 });
  await belt.conserved();
});
