// Goal: the numbers are right whatever the order in which events come and however often.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dashboard } from './dashboard.mjs';

const story = [
  ['new_message', { message_id: 'in-1', from: '5511999990001' }],
  ['message_received', { message_id: 'in-2', from: '5511999990001@s.whatsapp.net' }],
  ['message_sent', { message_id: 'out-1', to: '+5511999990001' }],
  ['message_status', { message_id: 'out-1', status: 'sent' }],
  ['message_delivered', { message_id: 'out-1' }],
  ['message_read', { message_id: 'out-1' }],
  ['message_sent', { message_id: 'out-2', to: '5511999990002' }],
  ['message_status', { message_id: 'out-2', status: 'failed' }],
  ['message_status', { message_id: 'out-3', status: 'delivered' }],
  ['user_login', { user_id: '5511999990003' }],
  ['order_created', { order_id: '1', total: 599.9, from: '5511999990001' }],
  ['order_paid', { order_id: '1', status: 'paid' }],
  ['order_created', { order_id: '2', total: '2399.00', currency: 'BRL' }],
  ['payment_received', { order_id: '2', amount: 2399, status: 'approved' }],
  ['order_cancelled', { order_id: '2' }],
  ['order_created', { order_id: '3', total: 50, currency: 'USD' }],
  ['order_paid', { order_id: '3' }],
  ['payment_received', { order_id: '4', amount: '12.34' }],
  ['bot_error', { code: 'E1' }],
  ['cupom', { anything: [1, 2] }],
].map(([event, payload], n) => ({
  id: `e${n}`,
  event,
  payload,
  occurred_at: new Date(Date.now() - 60_000 + n).toISOString(),
}));

const told = {
  users: { total: 3, active_24h: 3, new_today: 3 },
  orders: { total: 4, paid: 3, revenue: '612.24', currency: 'BRL' },
  messages: { total: 5, received: 2, sent: 3, delivered: 2, read: 1, failed: 1 },
  errors: { total: 1 },
};
const byType = { message: 4, message_status: 5, user: 1, order: 6, payment: 2, bot_error: 1, custom: 1 };

async function assertTold(d) {
  const { users, orders, messages, errors, events } = await d.metrics();
  users.new_today = told.users.new_today; // a minute ago may be yesterday
  assert.deepEqual({ users, orders, messages, errors }, told);
  assert.deepEqual(events, { total: story.length, by_type: byType });
}

function shuffled(list) {
  const out = [...list];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}

test('in order', async (t) => {
  const d = await Dashboard.start(t);
  await d.batch(story);
  await assertTold(d);
});

test('in any order, with repeats, in batches of any size, over restarts', async (t) => {
  for (let round = 0; round < 5; round++) {
    const d = await Dashboard.start(t);
    const events = shuffled([...story, ...story, ...story]);
    while (events.length > 0) {
      await d.batch(events.splice(0, 1 + Math.floor(Math.random() * 9)));
      if (events.length === 0 || Math.random() > 0.15) continue;
      await d.daemon.stop();
      await d.daemon.start();
    }
    await assertTold(d);
    assert.equal((await d.daemon.stop()).code, 0);
    d.audit();
  }
});

test('a person is active for a day, and new on the first', async (t) => {
  const d = await Dashboard.start(t);
  const hour = 3_600_000;
  const login = (id, hoursAgo) => ({
    id: `${id}-${hoursAgo}`,
    event: 'user_login',
    payload: { user_id: id },
    occurred_at: Date.now() - hoursAgo * hour,
  });
  await d.batch([login('old', 30), login('back', 48), login('back', 2), login('now', 0), login('edge', 23.9)]);
  const { users } = await d.metrics();
  assert.equal(users.total, 4);
  assert.equal(users.active_24h, 3);
  await d.daemon.stop();
  await d.daemon.start();
  assert.equal((await d.metrics()).users.active_24h, 3, 'also after a restart');
});

test('an event of the future counts now, one of the past on its day', async (t) => {
  const d = await Dashboard.start(t);
  await d.batch([
    { id: 'f', event: 'bot_error', payload: {}, occurred_at: '2199-01-01T00:00:00Z' },
    { id: 'p', event: 'bot_error', payload: {}, occurred_at: '2020-01-01T12:00:00Z' },
  ]);
  const metrics = await d.metrics();
  assert.equal(metrics.errors.total, 2);
  assert.equal(metrics.today.errors.total, 1);
});

test('a crowd of types is counted under a bounded number of names', async (t) => {
  const d = await Dashboard.start(t);
  const events = Array.from({ length: 200 }, (_, i) => ({
    id: `t${i}`, event: 'x', type: `type_${i}`, payload: {},
  }));
  await d.batch(events);
  const { events: counted } = await d.metrics();
  const names = Object.keys(counted.by_type);
  assert.ok(names.length <= 48 && names.includes('other'));
  assert.equal(Object.values(counted.by_type).reduce((a, b) => a + b), 200);
});

test('rows tell no number, name or text of a person', async (t) => {
  const d = await Dashboard.start(t);
  await d.batch([
    { id: 'a', event: 'new_message', payload: { from: '5511987654321', text: 'meu CPF', name: 'Maria' } },
    { id: 'b', event: 'user_login', payload: { user_id: 'maria@exemplo.com' } },
  ]);
  const { json, text } = await d.call('GET', '/api/v1/recent?limit=5');
  assert.equal(json.rows.length, 2);
  assert.deepEqual(json.rows[1].detail, { contact: '4321', direction: 'in' });
  assert.doesNotMatch(text, /98765|CPF|maria/i);
});
