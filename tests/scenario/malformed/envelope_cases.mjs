// JSON that is no event. [name, document, pointer]; the code is E-EVENT-SHAPE.

const ev = (more) => ({ event: 'a', payload: {}, ...more });

export const outer = [
  ['null', null, ''],
  ['a number', 7, ''],
  ['a text', 'evento', ''],
  ['true', true, ''],
  ['an empty array', [], ''],
  ['an empty object', {}, '/event'],
  ['an array of arrays', [[]], ''],
  ['an array of a text', ['evento'], ''],
  ['an event within another', { data: ev() }, '/event'],
];

export const event = [
  ['no event', { payload: {} }, '/event'],
  ['event null', ev({ event: null }), '/event'],
  ['event true', ev({ event: true }), '/event'],
  ['event 1.5', ev({ event: 1.5 }), '/event'],
  ['event an array', ev({ event: ['a'] }), '/event'],
  ['event an object', ev({ event: { name: 'a' } }), '/event'],
  ['event empty', ev({ event: '' }), '/event'],
  ['event of 129 bytes', ev({ event: 'x'.repeat(129) }), '/event'],
  ['event of 65 letters of 2 bytes', ev({ event: 'é'.repeat(65) }), '/event'],
  ['event with a line end', ev({ event: 'a\r\nx-injected: 1' }), '/event'],
  ['event with NUL', ev({ event: 'a\u0000b' }), '/event'],
];

export const payload = [
  ['no payload', { event: 'a' }, '/payload'],
  ['payload null', ev({ payload: null }), '/payload'],
  ['payload false', ev({ payload: false }), '/payload'],
  ['payload 0', ev({ payload: 0 }), '/payload'],
  ['payload a text', ev({ payload: 'texto' }), '/payload'],
  ['payload JSON in a text', ev({ payload: '{}' }), '/payload'],
  ['payload an array', ev({ payload: [{}] }), '/payload'],
];

export const attributes = [
  ['id true', ev({ id: true }), '/id'],
  ['id 1.5', ev({ id: 1.5 }), '/id'],
  ['id an object', ev({ id: {} }), '/id'],
  ['id of 257 bytes', ev({ id: 'i'.repeat(257) }), '/id'],
  ['id with a line end', ev({ id: 'a\nb' }), '/id'],
  ['source an array', ev({ source: ['bot'] }), '/source'],
  ['source false', ev({ source: false }), '/source'],
  ['source of 513 bytes', ev({ source: 's'.repeat(513) }), '/source'],
  ['tenant an object', ev({ tenant: { id: 1 } }), '/tenant'],
  ['tenant 0.5', ev({ tenant: 0.5 }), '/tenant'],
  ['dedup_id an array', ev({ dedup_id: [1] }), '/dedup_id'],
  ['dedup_id true', ev({ dedup_id: true }), '/dedup_id'],
  ['key an object', ev({ key: {} }), '/key'],
  ['key of 1,025 bytes', ev({ key: 'k'.repeat(1025) }), '/key'],
  ['sequence a text', ev({ sequence: '12' }), '/sequence'],
  ['sequence 1.5', ev({ sequence: 1.5 }), '/sequence'],
  ['sequence true', ev({ sequence: true }), '/sequence'],
  ['sequence an array', ev({ sequence: [1] }), '/sequence'],
];

export const times = [
  ['a word', 'ontem'], ['empty', ''], ['only a date', '2026-11-24'], ['no zone', '2026-11-24T17:00:00'],
  ['month 13', '2026-13-01T00:00:00Z'], ['month 0', '2026-00-01T00:00:00Z'], ['day 32', '2026-01-32T00:00:00Z'],
  ['30 February', '2026-02-30T00:00:00Z'], ['29 February of no leap year', '2027-02-29T00:00:00Z'],
  ['hour 24', '2026-11-24T24:00:00Z'], ['minute 60', '2026-11-24T10:60:00Z'], ['zone +25', '2026-11-24T10:00:00+25:00'],
  ['Brazilian form', '24/11/2026 17:00'], ['digits as text', '1732480000000'], ['true', true], ['a fraction', 1732480000.5],
  ['an object', { $date: 1 }], ['an array', [2026, 11, 24]], ['beyond the year 9999', 253402300800000], ['a space in front', ' 2026-11-24T17:00:00Z'],
].map(([name, value]) => [`occurred_at: ${name}`, ev({ occurred_at: value }), '/occurred_at']);

export const timestamps = [['a word', 'hoje'], ['true', true], ['an object', {}]]
  .map(([name, value]) => [`timestamp: ${name}`, ev({ timestamp: value }), '/timestamp']);
