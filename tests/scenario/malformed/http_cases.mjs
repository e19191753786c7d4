// Bytes that no HTTP client would send, written straight to the socket: wrong framing, what request
// smuggling needs, wrong lines and fields, wrong methods and paths. (RFC 9110, RFC 9112)
//
// [name, bytes or parts, wanted status]. Exactly one answer is wanted: the bytes behind a
// malformed request are never taken for another request.

const EVENT = '{"event":"intruso","payload":{}}'; // 32 bytes
const JSON_TYPE = 'Content-Type: application/json';

const head = (lines, start = 'POST /v1/events HTTP/1.1') => `${[start, 'Host: x', ...lines].join('\r\n')}\r\n\r\n`;
const post = (lines, body = EVENT) => head([JSON_TYPE, ...lines]) + body;
const chunked = (body) => post(['Transfer-Encoding: chunked'], body);
const CHUNKS = `20\r\n${EVENT}\r\n0\r\n\r\n`;
const line = (start, lines = [JSON_TYPE, 'Content-Length: 32']) => head(lines, start) + EVENT;
const SMUGGLED = `POST /v1/events HTTP/1.1\r\nHost: x\r\n${JSON_TYPE}\r\nContent-Length: 32\r\n\r\n${EVENT}`;

export const framing = [
  ['both Content-Length and chunked', post(['Content-Length: 32', 'Transfer-Encoding: chunked'], CHUNKS), 400],
  ['chunked first, then Content-Length', post(['Transfer-Encoding: chunked', 'Content-Length: 5'], CHUNKS), 400],
  ['CL.TE with a request behind', post(['Content-Length: 6', 'Transfer-Encoding: chunked'], `0\r\n\r\n${SMUGGLED}`), 400],
  ['two different lengths', post(['Content-Length: 32', 'Content-Length: 5']), 400],
  ['two equal lengths', post(['Content-Length: 32', 'Content-Length: 32']), 400],
  ['a list of lengths', post(['Content-Length: 32, 32']), 400],
  ['length with a plus', post(['Content-Length: +32']), 400],
  ['negative length', post(['Content-Length: -1']), 400],
  ['hexadecimal length', post(['Content-Length: 0x20']), 400],
  ['length with letters behind', post(['Content-Length: 32abc']), 400],
  ['length with a space inside', post(['Content-Length: 3 2']), 400],
  ['length with a fraction', post(['Content-Length: 32.0']), 400],
  ['empty length', post(['Content-Length: ']), 400],
  ['length beyond 64 bits', post(['Content-Length: 99999999999999999999999999']), 400],
  ['length far above the maximum', post(['Content-Length: 9000000000000000000']), 413],
  ['length just above the maximum', post(['Content-Length: 16777217']), 413],
  ['Transfer-Encoding gzip', post(['Transfer-Encoding: gzip']), 501],
  ['chunked not last', post(['Transfer-Encoding: chunked, gzip'], CHUNKS), 400],
  ['a coding like chunked', post(['Transfer-Encoding: xchunked'], CHUNKS), 501],
  ['identity', post(['Transfer-Encoding: identity', 'Content-Length: 32']), 400],
  ['chunked twice', post(['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], CHUNKS), 400],
  ['space before the colon of Transfer-Encoding', post(['Transfer-Encoding : chunked', 'Content-Length: 32']), 400],
  ['vertical tab in Transfer-Encoding', post(['Transfer-Encoding: \x0bchunked', 'Content-Length: 32']), 400],
  ['line folding in Transfer-Encoding', post(['Transfer-Encoding:\r\n chunked', 'Content-Length: 32']), 400],
  ['chunk size of letters', chunked('zz\r\nab\r\n0\r\n\r\n'), 400],
  ['negative chunk size', chunked(`-20\r\n${EVENT}\r\n0\r\n\r\n`), 400],
  ['chunk size with 0x', chunked(`0x20\r\n${EVENT}\r\n0\r\n\r\n`), 400],
  ['chunk size missing', chunked(`\r\n${EVENT}\r\n0\r\n\r\n`), 400],
  ['chunk size beyond 64 bits', chunked(`FFFFFFFFFFFFFFFFF\r\n${EVENT}\r\n0\r\n\r\n`), 400],
  ['chunk longer than its size', chunked(`5\r\n${EVENT}\r\n0\r\n\r\n`), 400],
  ['chunk without line end', chunked(`20\r\n${EVENT}0\r\n\r\n`), 400],
  ['chunk size ended by a bare LF', chunked(`20\n${EVENT}\r\n0\r\n\r\n`), 400],
  ['space in front of a chunk size', chunked(` 20\r\n${EVENT}\r\n0\r\n\r\n`), 400],
];

export const fields = [
  ['no Host', `POST /v1/events HTTP/1.1\r\n${JSON_TYPE}\r\nContent-Length: 32\r\n\r\n${EVENT}`, 400],
  ['two Hosts', post(['Host: y', 'Content-Length: 32']), 400],
  ['space before a colon', post(['X-A : 1', 'Content-Length: 32']), 400],
  ['a field without colon', post(['no-colon', 'Content-Length: 32']), 400],
  ['a field without name', post([': value', 'Content-Length: 32']), 400],
  ['a space in a field name', post(['X A: 1', 'Content-Length: 32']), 400],
  ['a control character in a field name', post(['X\x01A: 1', 'Content-Length: 32']), 400],
  ['a byte above 127 in a field name', post(['Xé: 1', 'Content-Length: 32']), 400],
  ['NUL in a value', post(['X-A: a\0b', 'Content-Length: 32']), 400],
  ['a bare CR in a value', post(['X-A: a\rb', 'Content-Length: 32']), 400],
  ['DEL in a value', post(['X-A: a\x7fb', 'Content-Length: 32']), 400],
  ['line folding', post(['X-A: a\r\n b', 'Content-Length: 32']), 400],
  ['lines ended by a bare LF', `POST /v1/events HTTP/1.1\nHost: x\n${JSON_TYPE}\nContent-Length: 32\n\n${EVENT}`, 400],
  ['a space in front of the first field', `POST /v1/events HTTP/1.1\r\n Host: x\r\nContent-Length: 32\r\n\r\n${EVENT}`, 400],
  ['fields above the maximum', post([`X-A: ${'a'.repeat(17_000)}`, 'Content-Length: 32']), 431],
  ['very many fields', post([...Array(2000)].map((_, i) => `X-${i}: 1`).concat('Content-Length: 32')), 431],
  ['a target above the maximum', line(`POST /v1/events?${'a'.repeat(17_000)} HTTP/1.1`), 414],
  ['an unknown expectation', post(['Expect: a-miracle', 'Content-Length: 32']), 417],
];

export const requestLines = [
  ['no version', line('POST /v1/events'), 400],
  ['HTTP/2.0', line('POST /v1/events HTTP/2.0'), 505],
  ['HTTP/0.9', line('POST /v1/events HTTP/0.9'), 505],
  ['HTTP/1.x', line('POST /v1/events HTTP/1.x'), 400],
  ['a version in small letters', line('POST /v1/events http/1.1'), 400],
  ['a method in small letters', line('post /v1/events HTTP/1.1'), 501],
  ['a method that nobody knows', line('BREW /v1/events HTTP/1.1'), 501],
  ['a tab instead of a space', line('POST\t/v1/events HTTP/1.1'), 400],
  ['words behind the version', line('POST /v1/events HTTP/1.1 x'), 400],
  ['two spaces behind the method', line('POST  /v1/events HTTP/1.1'), 400],
  ['two spaces before the version', line('POST /v1/events  HTTP/1.1'), 400],
  ['another protocol', line('POST /v1/events RTSP/1.0'), 400],
  ['a space in the target', line('POST /v1/ events HTTP/1.1'), 400],
  ['a NUL in the target', line('POST /v1/events\0 HTTP/1.1'), 400],
  ['no slash', line('POST v1/events HTTP/1.1'), 400],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  ['a TLS greeting', Buffer.from('16030100a5010000a10303', 'hex'), 400],
  ['noise', '\x01\x02\x03\x04\r\n\r\n', 400],
  ['only a word', 'OLA\r\n\r\n', 400],
];

export const routes = [
  ['GET', head([], 'GET /v1/events HTTP/1.1'), 405],
  ['HEAD', head([], 'HEAD /v1/events HTTP/1.1'), 405],
  ['PUT', line('PUT /v1/events HTTP/1.1'), 405],
  ['PATCH', line('PATCH /v1/events HTTP/1.1'), 405],
  ['DELETE', head([], 'DELETE /v1/events HTTP/1.1'), 405],
  ['TRACE', head([], 'TRACE /v1/events HTTP/1.1'), 405],
  ['CONNECT', head([], 'CONNECT x:1 HTTP/1.1'), 400],
  ['POST to the status', line('POST /v1/dashboard/status HTTP/1.1'), 405],
  ['the root', line('POST / HTTP/1.1'), 404],
  ['a name alike', line('POST /v1/event HTTP/1.1'), 404],
  ['a slash more', line('POST /v1/events/ HTTP/1.1'), 404],
  ['two slashes', line('POST //v1/events HTTP/1.1'), 404],
  ['great letters', line('POST /V1/EVENTS HTTP/1.1'), 404],
  ['dots', line('POST /v1/x/../events HTTP/1.1'), 404],
  ['an encoded slash', line('POST /v1%2fevents HTTP/1.1'), 404],
  ['an encoded NUL', line('POST /v1/events%00 HTTP/1.1'), 404],
  ['the dashboard\'s own route', line('POST /api/v1/events HTTP/1.1'), 404],
];

// Too slow, in a shim whose timeouts are short: 408, or closed without an answer where none can be told.
export const slow = [
  ['half a method', 'PO', 408],
  ['half a request line', 'POST /v1/ev', 408],
  ['half a header', 'POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-', 408],
  ['header byte by byte', [...'POST /v1/events HTTP/1.1\r\nHost: x\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'], 408],
  ['half a body', post(['Content-Length: 32'], '{"event":"intruso",'), 408],
  ['body shorter than its length', post(['Content-Length: 33']), 408],
  ['half a chunk', chunked('20\r\n{"event"'), 408],
  ['chunks without the last one', chunked(`20\r\n${EVENT}\r\n`), 408],
];

// The client goes in the middle: no answer, and nothing kept.
export const torn = [
  ['within the header', 'POST /v1/events HTTP/1.1\r\nHost: x\r\n'],
  ['before the body', head([JSON_TYPE, 'Content-Length: 32'])],
  ['one byte before the end', post(['Content-Length: 32'], EVENT.slice(0, 31))],
  ['before the last chunk', chunked(`20\r\n${EVENT}\r\n`)],
];
