// Goal: where a partition's log goes on below what was read and committed (the topic was made anew, or a broker
// that had lost its tail became leader), what is written there from then on is delivered.

import assert from 'node:assert/strict';
import { scenario } from '../support/pipeline.mjs';
import { Publisher } from '../support/publisher.mjs';
import { series } from '../support/samples.mjs';
import { dropTopic } from '../support/topics.mjs';
import { within } from '../support/wait.mjs';

scenario('a topic that is made anew while it is read', {}, async (belt) => {
  const [consumer] = belt.consumers;
  const publisher = new Publisher(belt.url);
  const before = [...series(800, { streams: 40, name: 'antes' })];
  await publisher.send(before);
  await belt.delivered(before);
  await belt.shim.stop();
  dropTopic(belt.kafka.brokers, belt.topic('order'));
  await belt.shim.start();
  const after = [...series(200, { streams: 40, name: 'depois' })];
  await publisher.send(after);
  // It ends by itself, and says so; whoever runs it starts it again.
  const how = await within(60_000, 'the consumer ends', consumer.exited);
  assert.equal(how.code, 69); // EX_UNAVAILABLE
  assert.match(consumer.text(), /"event":"log_went_back"/);
  assert.match(consumer.text(), /"event":"starts_over"/);
  await consumer.start();
  const sum = await belt.delivered([...before, ...after], { within: 60_000 });
  assert.equal(sum.lost, 0);
});
