// Goal: what a commit's note says is gone by: what was settled beyond a stuck event is not sent again by
// the next owner, and what is not in the log is told to be missing, to the event.

import assert from 'node:assert/strict';
import { scenario } from '../support/pipeline.mjs';
import { Publisher } from '../support/publisher.mjs';
import { series } from '../support/samples.mjs';
import { waitFor } from '../support/wait.mjs';

// The sum of a family's series.
async function metric(daemon, name) {
  const { text } = await daemon.get('/metrics');
  const rows = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? ([\\d.e+-]+)$`, 'gm'))];
  return rows.reduce((sum, [, n]) => sum + Number(n), 0);
}

const repeatsAt = (sink) => sink.journal.length - sink.seen.size;

scenario('what is settled beyond a stuck stream is not sent again', {}, async (belt) => {
  const events = [...series(3000, { streams: 30 })];
  const stuck = new Set(events.filter((_, i) => i % 30 === 0).map(({ id }) => id)); // one stream
  const publisher = new Publisher(belt.url);
  const conflict = { code: 'E-CONFLICT', detail: 'later', status: 409 };
  belt.sink.refuses = (event) => (stuck.has(event.id) ? conflict : null);
  for (let i = 0; i < events.length; i += 500) await publisher.send(events.slice(i, i + 500));
  const others = 3000 - stuck.size;
  await waitFor(
    () => `all others: ${belt.sink.seen.size} of ${others}`,
    () => belt.sink.seen.size >= others,
    { within: 30_000 },
  );
  const commits = await metric(belt.consumers[0], 'esteira_commits_total');
  await waitFor(
    'a commit that knows of it',
    async () => (await metric(belt.consumers[0], 'esteira_commits_total')) > commits,
    { within: 10_000 },
  ).catch(() => {}); // there was nothing left to say
  await belt.consumers[0].kill();
  await belt.consumers[0].start({ ready: false });
  await waitFor(
    'the next owner has passed what was ahead',
    async () =>
      (await metric(belt.consumers[0], 'esteira_events_completed_total').catch(() => 0)) > 0,
    { within: 30_000 },
  );
  belt.sink.refuses = () => null;
  await belt.delivered(publisher.accepted);
  assert.ok(repeatsAt(belt.sink) <= 200, `${repeatsAt(belt.sink)} were sent again`);
  assert.equal(await belt.deadLetters(), 0);
  await waitFor(
    'nothing is missing',
    async () => (await metric(belt.consumers[0], 'esteira_missing')) === 0,
  );
});

const HIDES = { ESTEIRA_TEST_HIDE: 'order/0/3-7' };

scenario('five records hidden from one consumer are five missing', { env: HIDES }, async (belt) => {
  const publisher = new Publisher(belt.url);
  await publisher.send([...series(400, { streams: 40 })]);
  const missing = () => metric(belt.consumers[0], 'esteira_missing');
  await waitFor(
    () => `395 are delivered: ${belt.sink.seen.size}`,
    () => belt.sink.seen.size === 395,
    { within: 30_000 },
  );
  await waitFor('five are missing', async () => (await missing()) === 5, { within: 10_000 });
});

// Nothing comes behind them: only the mark tells.
const AWAY = { ownKafka: true, redis: true, timeout: 300_000 };

scenario('a lost tail shows by the mark behind it', AWAY, async (belt) => {
  const publisher = new Publisher(belt.url);
  await publisher.send([...series(50)]);
  await belt.delivered(publisher.accepted);
  await belt.kafka.kill();
  await publisher.send([...series(200, { name: 'reserva' })]);
  await waitFor('they are buffered', async () => (await belt.redis.buffered()) === 200, {
    within: 60_000,
  });
  const [stream] = (await belt.redis.ask('KEYS', '{esteira:buf:*}:order')).filter(
    (key) => !key.endsWith(':refused'),
  );
  const entries = await belt.redis.ask('XRANGE', stream, '-', '+');
  const tail = entries.slice(-12).map(([id]) => id);
  assert.equal(await belt.redis.ask('XDEL', stream, ...tail), 12);
  await belt.kafka.start();
  await waitFor(
    async () => `twelve are missing: ${await metric(belt.consumers[0], 'esteira_missing')}`,
    async () => (await metric(belt.consumers[0], 'esteira_missing')) === 12,
    { within: 60_000, every: 100 },
  );
  assert.equal(belt.sink.seen.size, 238);
});
