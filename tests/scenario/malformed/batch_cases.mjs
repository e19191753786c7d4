// Batches of which one item is wrong: the answer names it, and none of the others is kept.
// {name, type, body, headers, status, index, pointer, code}

const good = (n) => JSON.stringify({ event: 'vizinho', payload: { n } });
const bad = (payload) => `{"event":"a","payload":${payload}}`;
const array = (...items) => `[${items.join(',')}]`;
const lines = (...items) => items.join('\n');

const LINES = 'application/x-ndjson';
const JSON_TYPE = 'application/json';
const row = (type) => ([name, body, index, pointer, code]) => ({ name, type, body, status: 400, index, pointer, code });

export const arrays = [
  ['the last item without payload', array(good(1), good(2), '{"event":"a"}'), 2, '/payload', 'E-EVENT-SHAPE'],
  ['the first item is null', array('null', good(1)), 0, '', 'E-EVENT-SHAPE'],
  ['an item is a text', array(good(1), '"x"', good(2)), 1, '', 'E-EVENT-SHAPE'],
  ['an item has a member twice', array(good(1), '{"event":"a","payload":{"x":1,"x":2}}'), 1, '/payload/x', 'E-JSON-DUPLICATE'],
  ['an item is too deep', array(good(1), bad(`{"x":${'['.repeat(70)}${']'.repeat(70)}}`)), 1, undefined, 'E-JSON-DEPTH'],
  ['the array does not end', `[${good(1)},${good(2)}`, undefined, undefined, 'E-JSON'],
  ['a comma behind the last item', `[${good(1)},]`, undefined, undefined, 'E-JSON'],
].map(row(JSON_TYPE));

export const ndjson = [
  ['the second line is no JSON', lines(good(1), '{"event":', good(2)), 1, '', 'E-JSON'],
  ['the last line is cut', lines(good(1), good(2), good(3).slice(0, -1)), 2, '', 'E-JSON'],
  ['two documents on a line', lines(good(1), good(2) + good(3)), 1, '', 'E-JSON'],
  ['an array on a line', lines(good(1), `[${good(2)}]`), 1, '', 'E-EVENT-SHAPE'],
  ['a line of null', lines('null', good(1)), 0, '', 'E-EVENT-SHAPE'],
  ['a document over two lines', '{"event":"a",\n"payload":{}}', 0, '', 'E-JSON'],
  ['a line without event', lines(good(1), '', '{"payload":{}}'), 1, '/event', 'E-EVENT-SHAPE'],
  ['a line of bad UTF-8', Buffer.concat([Buffer.from(`${good(1)}\n{"event":"a","payload":{"x":"`), Buffer.from([0xff]), Buffer.from('"}}')]), 1, '', 'E-JSON'],
  ['lines ended by CR alone', `${good(1)}\r${good(2)}`, 0, '', 'E-JSON'],
  ['nothing', '', undefined, undefined, 'E-EVENT-SHAPE'],
  ['only line ends', '\n\r\n\n', undefined, undefined, 'E-EVENT-SHAPE'],
].map(row(LINES));

const sized = (name, status, type, body) => ({ name, type, body, status });
export const sizes = [
  sized('an event above 1 MiB', 413, JSON_TYPE, bad(`{"x":"${'x'.repeat(1_100_000)}"}`)),
  sized('one of three above 1 MiB', 413, LINES, lines(good(1), bad(`{"x":"${'x'.repeat(1_100_000)}"}`), good(2))),
  sized('10,001 events', 413, LINES, Array(10_001).fill(good(1)).join('\n')),
  sized('10,001 events in an array', 413, JSON_TYPE, `[${Array(10_001).fill(good(1)).join(',')}]`),
];

const one = good(1);
const typed = (name, type, more = {}) => ({ name, type, body: one, status: 415, ...more });
export const contentTypes = [
  typed('no content type', undefined),
  typed('plain text', 'text/plain'),
  typed('a form', 'application/x-www-form-urlencoded'),
  typed('several parts', 'multipart/form-data; boundary=x'),
  typed('XML', 'application/xml'),
  typed('a name that begins alike', 'application/jsonx'),
  typed('a name that is cut', 'application/js'),
  typed('only the word', 'json'),
  typed('any type', '*/*'),
  typed('CloudEvents in Avro', 'application/cloudevents+avro'),
  typed('Avro', 'avro/binary'),
  typed('compressed', JSON_TYPE, { headers: { 'content-encoding': 'gzip' } }),
];
