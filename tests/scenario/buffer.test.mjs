// Goal: the shim keeps accepting while Kafka is away, and hands everything on in order when it is back,
// with no operator act.

import assert from 'node:assert/strict';
import { scenario } from '../support/pipeline.mjs';
import { Publisher } from '../support/publisher.mjs';
import { series } from '../support/samples.mjs';
import { waitFor } from '../support/wait.mjs';

const OPTIONS = { ownKafka: true, redis: true, env: { ESTEIRA_PRODUCER_ACK_TIMEOUT: '1500ms' } };

async function gauge(daemon, name) {
  const { text } = await daemon.get('/metrics');
  const rows = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? ([\\d.e+-]+)$`, 'gm'))];
  return rows.reduce((sum, [, n]) => sum + Number(n), 0);
}

const streamsOf = (n, each) =>
  Object.fromEntries(
    Array.from({ length: n }, (_, s) => [s, [...series(each, { streams: 1, name: `fluxo-${s}` })]]),
  );

async function isDirect(belt) {
  return (await gauge(belt.shim, 'esteira_buffer_state')) === 0;
}

// Publishes while `fault` runs and a little longer; then everything is delivered and the buffer empty.
async function through(belt, fault) {
  const publisher = new Publisher(belt.url);
  let over = false;
  const publishing = publisher.sendStreams(streamsOf(16, 100_000), { batch: 5, until: () => over });
  await publisher.acceptedCount(500);
  await fault(publisher);
  const n = publisher.accepted.length;
  await publisher.acceptedCount(n + 500);
  over = true;
  await publishing;
  await waitFor('direct again', () => isDirect(belt), { within: 15_000 });
  const sum = await belt.delivered(publisher.accepted);
  await belt.conserved();
  await waitFor('the buffer is empty', async () => (await belt.redis.buffered()) === 0);
  assert.equal(await gauge(belt.shim, 'dashboard_redis_queue_length'), 0);
  return { publisher, sum };
}

scenario('Kafka is killed and comes back', OPTIONS, async (belt) => {
  await through(belt, async (publisher) => {
    await belt.kafka.kill();
    const n = publisher.accepted.length;
    await publisher.acceptedCount(n + 2000);
    assert.ok((await belt.redis.buffered()) > 0, 'what is accepted meanwhile is in Redis');
    await belt.kafka.start();
  });
  assert.ok((await gauge(belt.shim, 'esteira_events_buffered_total')) > 1000);
});

scenario('Kafka is frozen and wakes', OPTIONS, async (belt) => {
  await through(belt, async (publisher) => {
    await belt.kafka.freeze();
    const n = publisher.accepted.length;
    await publisher.acceptedCount(n + 2000);
    await belt.kafka.thaw();
  });
});

scenario('the shim dies with a backlog', OPTIONS, async (belt) => {
  await through(belt, async (publisher) => {
    await belt.kafka.kill();
    await publisher.acceptedCount(publisher.accepted.length + 1000);
    await belt.shim.kill();
    await belt.shim.start({ ready: false });
    await publisher.acceptedCount(publisher.accepted.length + 500, { within: 30_000 });
    await belt.kafka.start();
  });
});

scenario('Redis dies with a backlog and keeps its data', OPTIONS, async (belt) => {
  await through(belt, async (publisher) => {
    await belt.kafka.kill();
    await publisher.acceptedCount(publisher.accepted.length + 1000);
    await belt.redis.kill();
    await belt.redis.start();
    await publisher.acceptedCount(publisher.accepted.length + 500, { within: 30_000 });
    await belt.kafka.start();
  });
});

scenario('Kafka away when the shim starts', { ...OPTIONS, start: false }, async (belt) => {
  await belt.kafka.kill();
  await belt.shim.start();
  const publisher = new Publisher(belt.url);
  for (let round = 0; round < 5; round++)
    await publisher.send([...series(100, { streams: 8, name: `r${round}` })]);
  assert.ok((await belt.redis.buffered()) >= 500);
  await belt.kafka.start();
  await Promise.all(belt.consumers.map((consumer) => consumer.start()));
  await waitFor('direct', () => isDirect(belt), { within: 15_000 });
  await belt.delivered(publisher.accepted);
});
