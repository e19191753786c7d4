// Goal: consumers of one group share the partitions; a second one may come and go without loss, without
// disorder and, when it goes in peace, without a duplicate.

import assert from 'node:assert/strict';
import { scenario } from '../support/pipeline.mjs';
import { Publisher } from '../support/publisher.mjs';
import { series } from '../support/samples.mjs';
import { waitFor } from '../support/wait.mjs';

// Deliveries that a consumer says it has made.
async function deliveredBy(daemon) {
  const { text } = await daemon.get('/metrics');
  return [
    ...text.matchAll(/^dashboard_event_send_duration_seconds_count(?:\{[^}]*\})? ([\d.e+]+)/gm),
  ].reduce((sum, [, n]) => sum + Number(n), 0);
}

scenario('both deliver, nothing twice', { consumers: 2 }, async (belt) => {
  const publisher = new Publisher(belt.url);
  for (let round = 0; round < 10; round++)
    await publisher.send([...series(300, { streams: 64, name: `r${round}` })]);
  const sum = await belt.delivered(publisher.accepted);
  assert.equal(sum.duplicates, 0);
  assert.equal((await belt.conserved()).accepted, publisher.accepted.length);
  const shares = await Promise.all(belt.consumers.map(deliveredBy));
  assert.ok(
    shares.every((n) => n > 0),
    `shares ${shares}`,
  );
});

scenario('a second one joins and leaves in peace', { consumers: 2, start: false }, async (belt) => {
  const [first, second] = belt.consumers;
  await Promise.all([belt.shim.start(), first.start()]);
  belt.sink.delay = 5;
  const publisher = new Publisher(belt.url);
  let enough = false;
  const streams = Object.fromEntries(
    Array.from({ length: 32 }, (_, s) => [
      s,
      [...series(2000, { streams: 1, name: `fluxo-${s}` })],
    ]),
  );
  const publishing = publisher.sendStreams(streams, { batch: 5, until: () => enough });
  await second.start();
  await waitFor('the second delivers', async () => (await deliveredBy(second)) > 0, {
    within: 30_000,
  });
  const { code } = await second.stop();
  assert.equal(code, 0);
  enough = true;
  await publishing;
  const sum = await belt.delivered(publisher.accepted);
  assert.equal(sum.duplicates, 0, 'a planned stop repeats nothing');
  assert.equal((await belt.conserved()).accepted, publisher.accepted.length);
});

// A partition that is paused when its member gives it back, and gets it again, is read on.
scenario(
  'what was paused before a rebalance is read after it',
  {
    consumers: 2,
    start: false,
    env: {
      ESTEIRA_CONSUMER_LANES_RECORDS: '50',
      ESTEIRA_DESTINATIONS_DASHBOARD_BATCH_COUNT: '10',
    },
  },
  async (belt) => {
    const [first, second] = belt.consumers;
    await Promise.all([belt.shim.start(), first.start()]);
    belt.sink.delay = 1000;
    const publisher = new Publisher(belt.url);
    await publisher.send([...series(4000, { streams: 8, name: 'fila' })]);
    await waitFor('a few are delivered', () => belt.sink.journal.length > 0, { within: 30_000 });
    await second.start();
    belt.sink.delay = 0;
    await belt.delivered(publisher.accepted, { within: 30_000 });
  },
);

// The prefix of the topics is the group's too: members of one installation are none of another's.
scenario('two installations on one Kafka share no group', { consumers: 2, start: false }, async (belt) => {
  const [ours, theirs] = belt.consumers;
  const other = { ESTEIRA_KAFKA_TOPIC_PREFIX: `${belt.prefix}outro.` };
  assert.equal((await belt.ask(['topics', 'apply'], other)).code, 0);
  Object.assign(theirs.env, other);
  await Promise.all([belt.shim.start(), ours.start(), theirs.start()]);
  const publisher = new Publisher(belt.url);
  await publisher.send([...series(300)]);
  await belt.delivered(publisher.accepted);
  assert.equal((await belt.conserved()).consumers, 1);
  const { destinations } = JSON.parse((await belt.ask(['status', '--json'], other)).out);
  assert.deepEqual([destinations[0].consumers, destinations[0].accepted], [1, 0]);
});
