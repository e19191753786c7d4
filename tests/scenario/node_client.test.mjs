// Goal: the Node client through the whole belt: what its options say is what the dashboard sees.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { scenario } from '../support/pipeline.mjs';
import { waitFor } from '../support/wait.mjs';

const require = createRequire(import.meta.url);
const client = require('../../clients/node');

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

// The names that the client reads, for this process.
function point(names) {
  for (const name of ['ESTEIRA_URL', 'ESTEIRA_SOCKET', 'ESTEIRA_TOKEN', 'DASHBOARD_URL'])
    delete process.env[name];
  Object.assign(process.env, names);
}

const arrived = (belt, id) => waitFor(`${id} delivered`, () => belt.sink.byId(id));

scenario('extra, headers and odd values reach the dashboard', {}, async (belt) => {
  point({ ESTEIRA_URL: belt.url });
  const { id, success } = await client.sendEventToDashboard(
    'menu_visto',
    {
      texto: 'Olá 👋',
      bytes: Buffer.from('ñ'),
      grande: 2n ** 70n,
      quando: new Date(0),
      mapa: new Map([['a', new Set([1])]]),
    },
    {
      extra: { botId: 'b-7', contexto: { fila: ['vip'] }, tenant: 'loja-1' },
      headers: { traceparent: TRACE, 'x-secret': 'só para a entrada' },
    },
  );
  assert.equal(success, true);
  const got = await arrived(belt, id);
  assert.deepEqual(got.payload, {
    texto: 'Olá 👋',
    bytes: { type: 'Buffer', data: 'w7E=' },
    grande: '1180591620717411303424',
    quando: '1970-01-01T00:00:00.000Z',
    mapa: { a: [1] },
  });
  assert.deepEqual(
    [got.event, got.botId, got.contexto, got.tenant],
    ['menu_visto', 'b-7', { fila: ['vip'] }, 'loja-1'],
  );
  const [record] = await belt.records(belt.topic('custom'));
  const headers = Object.fromEntries(record.headers);
  assert.equal(headers.traceparent, TRACE, 'trace context travels with the event');
  assert.equal(headers.ce_id, id);
  assert.ok(
    belt.sink.requests.every((r) => !('x-secret' in r.headers)),
    'other headers stay at the shim',
  );
});

scenario('a batch, over the Unix socket', {}, async (belt) => {
  point({ ESTEIRA_SOCKET: belt.socket });
  const events = Array.from({ length: 200 }, (_, n) => ({
    event: 'order_update',
    payload: { order_id: 'p-1', n },
    source: 'bot-1',
  }));
  const result = await client.sendBatchEvents(events);
  assert.deepEqual(
    [result.success, result.accepted, result.buffered, result.ids.length],
    [true, 200, 0, 200],
  );
  await arrived(belt, result.ids.at(-1));
  assert.deepEqual(
    belt.sink.journal.map((e) => e.id),
    result.ids,
  );
  assert.equal(belt.sink.journal[0].source, 'bot-1');
});

scenario('what the shim refuses is told with its place, and nothing is kept', {}, async (belt) => {
  point({ ESTEIRA_URL: belt.url });
  const err = await client
    .sendBatchEvents([
      { event: 'order_created', payload: { order_id: 'x', total: '1.00' } },
      { event: 'order_created', payload: { order_id: 'x', total: 'segredo' } },
    ])
    .catch((e) => e);
  assert.deepEqual(
    [err.code, err.status, err.retryable, err.attempts],
    ['E-EVENT-REFUSED', 400, false, 1],
  );
  assert.deepEqual([err.errors[0].index, err.errors[0].pointer], [1, '/payload/total']);
  assert.ok(!`${err.message}${JSON.stringify(err)}`.includes('segredo'));
  assert.deepEqual(
    Object.values(await belt.counts()).filter((n) => n > 0),
    [],
  );
});

scenario(
  'status and metrics through the shim, and the dashboard offline',
  { dashboard: true },
  async (belt) => {
    point({ ESTEIRA_URL: belt.url });
    const { id } = await client.sendEventToDashboard('order_paid', {
      order_id: '1',
      total: '10.50',
      currency: 'BRL',
      status: 'paid',
    });
    assert.ok(id);
    await waitFor('counted', async () => (await client.getDashboardMetrics()).events.total === 1);
    assert.equal((await client.getDashboardStatus()).status, 'ok');
    await belt.dashboard.kill();
    const err = await client.getDashboardStatus().catch((e) => e);
    assert.deepEqual([err.code, err.retryable], ['E-DASH-DOWN', true]);
    assert.ok(Date.parse(err.offlineSince) <= Date.now());
  },
);

scenario('the shim away', {}, async (belt) => {
  point({ ESTEIRA_URL: belt.url, DASHBOARD_URL: belt.sink.url });
  await belt.shim.kill();
  const err = await client.sendEventToDashboard('a', {}, { retries: 2 }).catch((e) => e);
  assert.deepEqual([err.code, err.attempts, err.retryable], ['E-SHIM-AWAY', 2, true]);
  assert.equal(belt.sink.requests.length, 0, 'DASHBOARD_URL is no way around the belt');
  await belt.shim.start();
  const again = await client.sendEventToDashboard('a', {}, { id: err.ids[0] });
  assert.equal(again.id, err.ids[0]);
  await arrived(belt, again.id);
});
