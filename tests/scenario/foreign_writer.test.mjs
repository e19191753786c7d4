// Goal: records of programs that frame Avro with a Confluent registry's id (in the value or in the header)
// or GUID are delivered as soon as the registry tells their schema, in order with what lies around them.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { ROOT } from '../support/paths.mjs';
import { scenario } from '../support/pipeline.mjs';
import { freePorts } from '../support/ports.mjs';
import { putRecords } from '../support/topics.mjs';
import { waitFor } from '../support/wait.mjs';

const GUID = '89791762-2336-186f-7674-9b4c5e6a1b02';
const UNKNOWN = '00000000-0000-4000-8000-000000000000';
const ORDER = fs.readFileSync(path.join(ROOT, 'schemas/order.avsc'), 'utf8');
const FRAME = 10; // C3 01 and the fingerprint

// A registry of one schema under id 7 and GUID; `status` other than 200 is its answer to everything.
class Registry {
  asked = [];
  status = 200;

  constructor(port) {
    this.url = `http://127.0.0.1:${port}`;
    this.server = http.createServer((req, res) => this.answer(req, res)).listen(port, '127.0.0.1');
  }

  answer(req, res) {
    this.asked.push(req.url);
    const known = ['/schemas/ids/7', `/schemas/guids/${GUID}`].includes(req.url);
    const status = this.status !== 200 ? this.status : known ? 200 : 404;
    res.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' });
    res.end(JSON.stringify(status === 200 ? { schema: ORDER } : { error_code: 40403, message: 'no' }));
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

const bytes = (guid) => Buffer.from(guid.replaceAll('-', ''), 'hex');
const byGuid = (guid, body) => ({ header: Buffer.concat([Buffer.from([1]), bytes(guid)]), value: body });
const byId = (id, body) => ({ value: Buffer.concat([Buffer.from([0, 0, 0, 0, id]), body]) });
const byHeaderId = (id, body) => ({ header: Buffer.from([0, 0, 0, 0, id]), value: body });

// The Avro bodies of orders, as our own shim wrote them: taken from Kafka, without their frame.
async function bodies(belt, n) {
  for (let i = 1; i <= n; i++) await belt.post({ order_id: `pedido-${i}`, total: `${i}.00` });
  await waitFor('the models are through', () => belt.sink.journal.length === n);
  const all = await belt.records(belt.topic('order'));
  const idOf = (r) => Object.fromEntries(r.headers).ce_id;
  return all.map((r) => ({ id: idOf(r), body: r.value.subarray(FRAME), framed: r.value }));
}

async function withRegistry(name, body) {
  const [port] = await freePorts(1);
  const registry = new Registry(port);
  scenario(name, { start: false }, async (belt) => {
    belt.consumers[0].env.ESTEIRA_SCHEMA_REGISTRY_URL = registry.url; // the shim keeps to fingerprints
    belt.post = async (payload) => {
      const text = JSON.stringify({ event: 'order_created', payload });
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${belt.url}/v1/events`, { method: 'POST', headers, body: text });
      assert.equal(answer.status, 202);
    };
    try {
      await Promise.all(belt.daemons.map((daemon) => daemon.start()));
      await body(belt, registry);
    } finally {
      registry.close();
    }
  });
}

const arrived = (belt, from) => belt.sink.journal.slice(from).map((event) => event.id);

await withRegistry('by id in the value, by id in the header, by GUID', async (belt, registry) => {
  const models = await bodies(belt, 5);
  const before = belt.sink.journal.length;
  registry.status = 503;
  const [a, b, c, d, e] = models;
  const key = 'um';
  putRecords(belt.kafka.brokers, belt.topic('order'), [
    { key, ...byGuid(GUID, a.body) },
    { key, value: b.framed },
    { key, ...byId(7, c.body) },
    { key, ...byHeaderId(7, d.body) },
    { key, value: e.framed },
  ]);
  await waitFor('the registry was asked', () => registry.asked.length > 0);
  await waitFor('the consumer says why it waits', async () => {
    const answer = await belt.consumers[0].get('/readyz');
    return answer.status === 503 && answer.text.includes('schema_registry');
  });
  assert.deepEqual(arrived(belt, before), [], 'order: nothing passes the one that waits');
  registry.status = 200;
  await waitFor('all five', () => belt.sink.journal.length >= before + 5, { within: 20_000 });
  assert.deepEqual(
    arrived(belt, before),
    models.map((model) => model.id),
  );
  assert.deepEqual([...new Set(registry.asked)], [`/schemas/guids/${GUID}`, '/schemas/ids/7']);
  await belt.consumers[0].ready();
  assert.equal(await belt.deadLetters(), 0);
});

await withRegistry('a GUID that the registry does not know', async (belt) => {
  const models = await bodies(belt, 2);
  const before = belt.sink.journal.length;
  const [a, b] = models;
  putRecords(belt.kafka.brokers, belt.topic('order'), [
    { key: 'um', ...byGuid(UNKNOWN, a.body) },
    { key: 'um', ...byGuid(GUID, b.body) },
  ]);
  await waitFor('the good one', () => belt.sink.journal.length > before, { within: 20_000 });
  await waitFor('a dead letter', async () => (await belt.deadLetters()) === 1, { every: 300 });
});
