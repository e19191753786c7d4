// Goal: each destination of pipeline.yaml gets all events by a consumer group of its own; what happens to
// one (away, refusing an event) the other does not notice.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { ROOT, program } from '../support/paths.mjs';
import { scenario } from '../support/pipeline.mjs';
import { freePorts } from '../support/ports.mjs';
import { Publisher } from '../support/publisher.mjs';
import { series } from '../support/samples.mjs';
import { Sink } from '../support/sink.mjs';
import { recordCounts } from '../support/topics.mjs';
import { waitFor } from '../support/wait.mjs';
import { account, print } from '../support/account.mjs';

const FAULT = { code: 'E-X', detail: 'not wanted', pointer: '/payload' };

// A pipeline.yaml with two destinations, and a consumer for each.
async function addDestination(belt, crm) {
  belt.config = path.join(belt.dir, 'pipeline.yaml');
  fs.symlinkSync(path.join(ROOT, 'schemas'), path.join(belt.dir, 'schemas'));
  fs.writeFileSync(belt.config, `destinations:\n  dashboard: {}\n  crm:\n    url: ${crm.url}\n    batch_count: 20\n`);
  belt.env = {
    ...belt.env,
    ESTEIRA_DESTINATIONS_CRM_RETRY_INITIAL: '50ms',
    ESTEIRA_DESTINATIONS_CRM_RETRY_MAX: '500ms',
  };
  const [port] = await freePorts(1);
  for (const daemon of belt.daemons) daemon.args = ['-c', belt.config];
  const other = belt.daemon('crm', 'esteira-consumer', port, {
    ESTEIRA_CONSUMER_OPS_LISTEN: `127.0.0.1:${port}`,
  });
  for (const [daemon, name] of [
    [belt.consumers[0], 'dashboard'],
    [other, 'crm'],
  ])
    daemon.args = ['-c', belt.config, '--destination', name];
  await belt.esteira('topics', 'apply', '-c', belt.config);
  await Promise.all(belt.daemons.map((daemon) => daemon.start()));
  return other;
}

const deadLettersOf = async (belt, name) =>
  Object.values(await recordCounts(belt.kafka.brokers, `dlq.${name}.${belt.prefix}`)).reduce((a, b) => a + b, 0);

scenario('two destinations, one down: the other is not affected', { start: false }, async (belt, t) => {
  const crm = await new Sink().start();
  t.after(() => crm.stop());
  const other = await addDestination(belt, crm);
  const publisher = new Publisher(belt.url);

  await publisher.send([...series(200)]);
  await belt.delivered(publisher.accepted);
  await waitFor('both have them', () => crm.seen.size === 200);
  for (const request of crm.requests)
    assert.equal(request.headers.authorization, undefined, 'a token is for its destination only');

  await crm.stop();
  const before = belt.sink.requests.length;
  await publisher.send([...series(1000, { name: 'crm-away' })]);
  await belt.delivered(publisher.accepted, { within: 20_000 });
  assert.equal(crm.seen.size, 200);
  assert.equal((await belt.conserved()).delivered, 1200);
  const away = await waitFor('crm is said to be down', async () => {
    const now = await belt.status('crm');
    return now.pending === 1000 && now.missing === 0 && now;
  });
  assert.equal(away.delivered, 200);
  const id = publisher.accepted[500].id;
  const trace = JSON.parse(await belt.esteira('trace', id, '--json', '-c', belt.config));
  const states = Object.fromEntries(trace.destinations.map((d) => [d.destination, d.state]));
  assert.equal(states.dashboard, 'delivered');
  assert.match(states.crm, /^(queued|retrying)$/);
  assert.ok(belt.sink.requests.slice(before).every(({ status }) => status < 300));
  assert.doesNotMatch(belt.consumers[0].text(), /"event":"destination_paused"/);
  assert.doesNotMatch((await belt.consumers[0].get('/metrics')).text, /destination="crm"/);

  const poison = publisher.accepted[700].id;
  crm.refuses = (event) => (event.id === poison ? FAULT : null);
  await crm.start();
  await waitFor(
    () => `crm catches up: ${print(account(publisher.accepted, crm.journal))}`,
    () => crm.seen.size === publisher.accepted.length - 1,
    { within: 60_000 },
  );
  await waitFor('its dead letter', async () => (await deadLettersOf(belt, 'crm')) === 1);
  assert.equal(await deadLettersOf(belt, 'dashboard'), 0);
  assert.equal(account(publisher.accepted, crm.journal).disordered, 0);
  assert.ok(belt.sink.seen.has(poison), 'it was refused by one alone');

  crm.refuses = () => null;
  await belt.esteira('dlq', 'replay', '-c', belt.config, '--destination', 'crm', '--yes');
  await waitFor('the replay is at crm', () => crm.seen.has(poison));
  for (const destination of ['dashboard', 'crm'])
    assert.equal((await belt.conserved({ destination })).accepted, 1200, destination);
  await other.stop();
  const twice = belt.sink.journal.filter(({ id }) => id === poison).length;
  assert.equal(twice, 1, 'the replay is for crm alone');
});

scenario('a destination that is not there is an error of the configuration', { start: false }, async (belt) => {
  const daemon = belt.daemon('nobody', 'esteira-consumer', belt.port, {});
  belt.daemons.pop();
  daemon.args = ['-c', belt.config, '--destination', 'dashbord'];
  daemon.file = program('esteira-consumer');
  await daemon.start({ ready: false });
  assert.equal((await daemon.exited).code, 78);
  assert.match(daemon.text(), /there is no destination \\"dashbord\\"/);
});
