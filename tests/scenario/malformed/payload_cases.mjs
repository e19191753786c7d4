// Payload fields of the wrong kind, for each type of event. [name, document, pointer]; E-EVENT-PAYLOAD.

// What each kind of field does not take.
const WRONG = {
  text: [7, true, ['a'], { a: 1 }],
  id: [1.5, false, ['a'], { a: 1 }],
  flag: [0, 'true', [true]],
  integer: ['1', 1.5, true, [1], 1e300],
  short: [2147483648, '1'],
  money: ['12,50', 'R$ 10', '', '1e2.5', true, [1], { value: 1 }, 10.999, '0.001', '99999999999999999.00'],
  time: ['ontem', '2026-02-30T00:00:00Z', true, 1.5, {}],
  record: ['texto', 7, [1]],
  list: ['texto', 7, { 0: 1 }],
};

// type: [event name, {kind: fields}]
const TYPES = {
  message: ['new_message', {
    id: ['message_id', 'conversation_id', 'chat_id', 'contact', 'from', 'to', 'reply_to'],
    text: ['text', 'kind', 'contact_name', 'direction', 'caption', 'template'],
    flag: ['from_me'], record: ['media'],
  }],
  message_status: ['message_read', { id: ['message_id', 'recipient'], text: ['status'], short: ['rank'], record: ['error'] }],
  order: ['order_created', {
    id: ['order_id', 'message_id'], text: ['status', 'currency', 'notes'], integer: ['version'],
    money: ['total', 'subtotal', 'discount', 'shipping'], list: ['items'],
  }],
  payment: ['payment_received', {
    id: ['payment_id', 'order_id', 'txid'], text: ['status', 'method'], money: ['amount'], short: ['installments'],
    time: ['due_at', 'paid_at'],
  }],
  user: ['user_login', { id: ['user_id', 'phone'], text: ['email', 'name', 'locale'], flag: ['consent'] }],
  session: ['bot_connected', { id: ['session', 'session_id'], text: ['state', 'reason'], short: ['attempt'] }],
  interaction: ['button_click', { id: ['choice_id'], text: ['title', 'command'], record: ['answers'] }],
  bot_error: ['bot_error', { id: ['code'], text: ['message', 'stack', 'severity'], integer: ['count'] }],
};

// The first field of a kind in a type meets every wrong value, the others one each, in turn.
function* ofKind(event, kind, fields) {
  const values = WRONG[kind];
  for (const [i, field] of fields.entries()) {
    for (const value of i === 0 ? values : [values[i % values.length]]) {
      yield [`${event}: ${field} ${JSON.stringify(value)}`, { event, payload: { [field]: value } }, `/payload/${field}`];
    }
  }
}

export const fields = Object.values(TYPES).flatMap(([event, kinds]) =>
  Object.entries(kinds).flatMap(([kind, names]) => [...ofKind(event, kind, names)]));

const order = (...items) => ({ event: 'order_created', payload: { order_id: '1', items } });
export const inside = [
  ['an item of an order that is a text', order({ sku: 'a' }, 'b'), '/payload/items/1'],
  ['a sku that is an object', order({ sku: {} }), '/payload/items/0/sku'],
  ['a null item', order(null), '/payload/items/0'],
  ['a mime type that is a number', { event: 'new_message', payload: { media: { mime: 7 } } }, '/payload/media/mime'],
  ['an error code with a fraction', { event: 'message_status', payload: { error: { code: 1.5 } } }, '/payload/error/code'],
];

// Digits that no double holds: given as text, for JSON.stringify would round them.
export const digits = [
  ['an integer beyond 64 bits', '{"event":"order_created","payload":{"version":9223372036854775808}}', '/payload/version'],
  ['an integer below 64 bits', '{"event":"order_created","payload":{"version":-9223372036854775809}}', '/payload/version'],
  ['an integer with an exponent', '{"event":"order_created","payload":{"version":1e2}}', '/payload/version'],
  ['money with a third digit', '{"event":"order_created","payload":{"total":599.901}}', '/payload/total'],
  ['money of 17 digits before the point', '{"event":"order_created","payload":{"total":12345678901234567.00}}', '/payload/total'],
  ['an id with an exponent', '{"event":"order_created","payload":{"order_id":1e3}}', '/payload/order_id'],
  ['a sequence beyond 64 bits', '{"event":"order_created","payload":{},"sequence":9223372036854775808}', '/sequence', 'E-EVENT-SHAPE'],
];
