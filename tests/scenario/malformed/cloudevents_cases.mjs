// CloudEvents 1.0 that are none. [name, document or {headers, body}, pointer, code]

const ce = (more) => ({ specversion: '1.0', id: '1', source: '/bot', type: 'order_created', data: { order_id: '1' }, ...more });
const without = (name) => { const { [name]: _, ...rest } = ce(); return rest; };

export const structured = [
  ['no specversion', without('specversion'), '/specversion'],
  ['specversion 0.3', ce({ specversion: '0.3' }), '/specversion'],
  ['specversion 1', ce({ specversion: 1 }), '/specversion'],
  ['specversion 1.0.1', ce({ specversion: '1.0.1' }), '/specversion'],
  ['no id', without('id'), '/id'],
  ['id empty', ce({ id: '' }), '/id'],
  ['id an object', ce({ id: {} }), '/id'],
  ['no source', without('source'), '/source'],
  ['source empty', ce({ source: '' }), '/source'],
  ['source an array', ce({ source: ['/bot'] }), '/source'],
  ['no type', without('type'), '/type'],
  ['type empty', ce({ type: '' }), '/type'],
  ['type true', ce({ type: true }), '/type'],
  ['no data', without('data'), '/data'],
  ['data a text', ce({ data: 'texto' }), '/data'],
  ['data an array', ce({ data: [1] }), '/data'],
  ['data null', ce({ data: null }), '/data'],
  ['data in base64', { ...without('data'), data_base64: 'e30=' }, '/data_base64'],
  ['data and base64', ce({ data_base64: 'e30=' }), '/data_base64'],
  ['time a word', ce({ time: 'hoje' }), '/time'],
  ['time without zone', ce({ time: '2026-11-24T17:00:00' }), '/time'],
  ['time an object', ce({ time: {} }), '/time'],
  ['subject an object', ce({ subject: {} }), '/subject'],
  ['the plain shape', { event: 'a', payload: {} }, '/specversion'],
  ['an array', [ce()], ''],
  ['a text', 'evento', ''],
];

export const batch = [
  ['no array', ce(), undefined],
  ['an empty array', [], undefined],
  ['the second without type', [ce(), without('type')], '/type', 1],
  ['the first of another version', [ce({ specversion: '2.0' }), ce()], '/specversion', 0],
  ['a null among them', [ce(), null, ce()], '', 1],
];

const H = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/bot', 'ce-type': 'order_created', 'content-type': 'application/json' };
const drop = (name) => { const { [name]: _, ...rest } = H; return rest; };
const DATA = '{"order_id":"1"}';

export const binary = [
  ['no ce-id', drop('ce-id'), DATA, '/id', 'E-EVENT-SHAPE'],
  ['no ce-type', drop('ce-type'), DATA, '/type', 'E-EVENT-SHAPE'],
  ['no ce-source', drop('ce-source'), DATA, '/source', 'E-EVENT-SHAPE'],
  ['another version', { ...H, 'ce-specversion': '0.3' }, DATA, '/specversion', 'E-EVENT-SHAPE'],
  ['ce-time a word', { ...H, 'ce-time': 'hoje' }, DATA, '/time', 'E-EVENT-SHAPE'],
  ['ce-type with an encoded line end', { ...H, 'ce-type': 'a%0d%0ab' }, DATA, '/type', 'E-EVENT-SHAPE'],
  ['ce-subject that is no UTF-8', { ...H, 'ce-subject': '%ff' }, DATA, undefined, 'E-EVENT-SHAPE'],
  ['a body that is no JSON', H, '{"order_id":', undefined, 'E-JSON'],
  ['no body', H, '', undefined, 'E-JSON'],
  ['a body that is a text', H, '"texto"', '/data', 'E-EVENT-SHAPE'],
  ['a body that is an array', H, '[1]', '/data', 'E-EVENT-SHAPE'],
  ['a body with a member twice', H, '{"a":1,"a":2}', '/data/a', 'E-JSON-DUPLICATE'],
];
