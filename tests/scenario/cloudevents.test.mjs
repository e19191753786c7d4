// Goal: CloudEvents 1.0 in all three modes become the same event, with all that they say, in Kafka and at
// the dashboard.

import assert from 'node:assert/strict';
import { request } from '../support/http.mjs';
import { scenario } from '../support/pipeline.mjs';
import { waitFor } from '../support/wait.mjs';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const TIME = '2026-11-24T17:37:21.004Z';

// What differs from case to case: attributes beyond the required ones, and what they become.
const MATRIX = [
  ['only what is required', {}, {}],
  ['time', { time: TIME }, { occurred_at: TIME }],
  ['time in another zone', { time: '2026-11-24T14:37:21.004-03:00' }, { occurred_at: TIME }],
  ['subject', { subject: 'pedido/8841 ção' }, { subject: 'pedido/8841 ção' }],
  ['extensions', { botid: 'b-7', region: 'sa-east-1' }, { botid: 'b-7', region: 'sa-east-1' }],
  [
    'tenant and dedupid',
    { tenant: 'loja-1', dedupid: 'd-1' },
    { tenant: 'loja-1', dedup_id: 'd-1' },
  ],
  ['trace context', { traceparent: TRACE, tracestate: 'a=1' }, {}],
  ['partitionkey', { partitionkey: 'chave' }, {}],
];

const DATA = { order_id: '8841', status: 'paid', nota: 'Olá 👋' };
const attributes = (id, more) => ({
  specversion: '1.0',
  id,
  source: '/bots/loja-1',
  type: 'order_paid',
  ...more,
});
const post = (belt, type, body, headers = {}) =>
  request(belt.url, 'POST', '/v1/events', {
    headers: { 'content-type': type, ...headers },
    body: JSON.stringify(body),
  });

// HTTP binding §3.1.3.2: everything but printable ASCII is percent-encoded.
const encode = (text) =>
  [...new TextEncoder().encode(text)]
    .map((c) =>
      c > 0x20 && c < 0x7f && c !== 0x22 && c !== 0x25
        ? String.fromCharCode(c)
        : `%${c.toString(16).padStart(2, '0')}`,
    )
    .join('');

const MODES = {
  structured: (belt, attrs) =>
    post(belt, 'application/cloudevents+json; charset=utf-8', { ...attrs, data: DATA }),
  batch: (belt, attrs) =>
    post(belt, 'application/cloudevents-batch+json', [
      { ...attrs, datacontenttype: 'application/json', data: DATA },
    ]),
  binary: (belt, attrs) =>
    post(
      belt,
      'application/json',
      DATA,
      Object.fromEntries(
        Object.entries(attrs).map(([name, value]) => [`ce-${name}`, encode(value)]),
      ),
    ),
};

function checkEvent(got, id, become) {
  assert.deepEqual(
    [got.id, got.event, got.type, got.source],
    [id, 'order_paid', 'order', '/bots/loja-1'],
  );
  assert.deepEqual(got.payload, DATA);
  for (const [name, value] of Object.entries(become)) {
    if (name === 'occurred_at') assert.equal(Date.parse(got[name]), Date.parse(value));
    else assert.deepEqual(got[name], value, name);
  }
}

function checkRecord(record, id, attrs) {
  const headers = Object.fromEntries(record.headers);
  assert.deepEqual(
    [headers.ce_specversion, headers.ce_id, headers.ce_type, headers.ce_source],
    ['1.0', id, 'order_paid', '/bots/loja-1'],
  );
  assert.ok(Date.parse(headers.ce_time) > 0);
  assert.match(headers['content-type'], /avro/);
  assert.match(headers['esteira-chain'], /^[^/]+\/\d+\/order\/\d+\/\d+$/);
  if (attrs.time) assert.equal(Date.parse(headers.ce_time), Date.parse(TIME));
  if (attrs.subject) assert.equal(headers.ce_subject, attrs.subject);
  if (attrs.traceparent)
    assert.deepEqual([headers.traceparent, headers.tracestate], [TRACE, 'a=1']);
}

scenario('three modes', {}, async (belt, t) => {
  const sent = [];
  for (const [mode, send] of Object.entries(MODES)) {
    for (const [i, [name, attrs, become]] of MATRIX.entries()) {
      const id = `${mode}-${i}`;
      const answer = await send(belt, attributes(id, attrs));
      assert.equal(answer.status, 202, `${mode}, ${name}: ${answer.text}`);
      assert.deepEqual(answer.json.ids ?? [answer.json.id], [id]);
      sent.push({ id, name: `${mode}: ${name}`, attrs, become });
    }
  }
  await waitFor(
    () => `${belt.sink.seen.size} of ${sent.length}`,
    () => sent.every(({ id }) => belt.sink.seen.has(id)),
  );
  const records = await belt.records(belt.topic('order'));
  for (const { id, name, attrs, become } of sent) {
    await t.test(name, () => {
      checkEvent(belt.sink.byId(id), id, become);
      checkRecord(
        records.find((r) => Object.fromEntries(r.headers).ce_id === id),
        id,
        attrs,
      );
    });
  }
  assert.equal(records.length, sent.length);
});

scenario('a batch of many keeps its order', {}, async (belt) => {
  const events = Array.from({ length: 100 }, (_, i) => ({
    ...attributes(`n-${i}`, { subject: 'x' }),
    data: { ...DATA, n: i },
  }));
  const answer = await post(belt, 'application/cloudevents-batch+json', events);
  assert.deepEqual([answer.status, answer.json.accepted, answer.json.buffered], [202, 100, 0]);
  await waitFor('all', () => belt.sink.seen.size === 100);
  assert.deepEqual(
    belt.sink.journal.map((e) => e.id),
    events.map((e) => e.id),
  );
});
