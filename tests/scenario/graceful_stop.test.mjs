// Goal: SIGTERM ends each daemon with exit code 0 within its bound, in the middle of traffic, and loses
// nothing; a start goes on where it stood.

import assert from 'node:assert/strict';
import { scenario } from '../support/pipeline.mjs';
import { Publisher } from '../support/publisher.mjs';
import { series } from '../support/samples.mjs';
import { waitFor } from '../support/wait.mjs';

const BOUND = 10_000; // ms: the drain_timeout of each daemon

function traffic(belt, each = 150) {
  const publisher = new Publisher(belt.url);
  const streams = Object.fromEntries(
    Array.from({ length: 16 }, (_, s) => [
      s,
      [...series(each, { streams: 1, name: `fluxo-${s}` })],
    ]),
  );
  return { publisher, publishing: publisher.sendStreams(streams, { batch: 5 }) };
}

async function stopAndStart(daemon) {
  const { code, signal, ms } = await daemon.stop();
  assert.deepEqual([code, signal], [0, null], daemon.tail());
  assert.ok(ms < BOUND + 1000, `${ms} ms`);
  await daemon.start();
}

for (const part of ['shim', 'consumer']) {
  scenario(`the ${part}`, {}, async (belt) => {
    belt.sink.delay = 5;
    const { publisher, publishing } = traffic(belt);
    await publisher.acceptedCount(600, { within: 60_000, every: 1 });
    await stopAndStart(part === 'shim' ? belt.shim : belt.consumers[0]);
    await publishing;
    const sum = await belt.delivered(publisher.accepted);
    if (part === 'consumer') assert.equal(sum.duplicates, 0, 'a planned stop repeats nothing');
  });
}

scenario('the dashboard', { dashboard: true }, async (belt) => {
  const { publisher, publishing } = traffic(belt);
  await publisher.acceptedCount(600, { within: 60_000, every: 1 });
  await stopAndStart(belt.dashboard);
  await publishing;
  const total = async () => (await belt.askDashboard('/api/v1/metrics'))?.events.total;
  await waitFor('all counted', async () => (await total()) === publisher.accepted.length, {
    within: 60_000,
  });
});

scenario('a consumer whose dashboard is away ends within its bound', {}, async (belt) => {
  await belt.sink.stop();
  const publisher = new Publisher(belt.url);
  await publisher.send([...series(200)]);
  const { code, ms } = await belt.consumers[0].stop({ within: BOUND + 5000 });
  assert.equal(code, 0, belt.consumers[0].tail());
  assert.ok(ms < BOUND + 1000, `${ms} ms`);
  await belt.sink.start();
  await belt.consumers[0].start();
  await belt.delivered(publisher.accepted);
});

// A member that is heard of no more loses its partitions, and what it commits then is refused.
const PATIENT = {
  ESTEIRA_CONSUMER_SESSION_TIMEOUT: '6s', // the least that brokers take by default
  ESTEIRA_CONSUMER_DRAIN_TIMEOUT: '16s',
  ESTEIRA_DESTINATIONS_DASHBOARD_TIMEOUT: '15s',
};

scenario('an answer that takes longer than the session', { env: PATIENT }, async (belt) => {
  const [consumer] = belt.consumers;
  belt.sink.delay = 8000;
  const publisher = new Publisher(belt.url);
  await publisher.send([...series(200)]);
  await waitFor('a request is under way', async () =>
    /^esteira_requests_in_flight\{.*\} [1-9]/m.test((await consumer.get('/metrics')).text),
  );
  const { code, ms } = await consumer.stop({ within: 20_000 });
  assert.equal(code, 0, consumer.tail());
  assert.ok(ms > 6000 && ms < 17_000, `${ms} ms`);
  assert.ok(!consumer.text().includes('"event":"commit_failed"'), consumer.tail());
  belt.sink.delay = 0;
  await consumer.start();
  const sum = await belt.delivered(publisher.accepted);
  assert.equal(sum.duplicates, 0, 'a planned stop repeats nothing');
});

scenario('idle daemons end at once', { dashboard: true }, async (belt) => {
  for (const daemon of belt.daemons) {
    const { code, ms } = await daemon.stop();
    assert.equal(code, 0, daemon.tail());
    assert.ok(ms < 3000, `${daemon.name}: ${ms} ms`);
  }
});
