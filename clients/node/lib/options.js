'use strict';
// The options of one call: the defaults of the old service, and what the headers may say.

const http = require('node:http');
const { EsteiraTypeError } = require('./errors');
const { warnOnce } = require('./warn');

const DEFAULTS = { timeout: 5000, retries: 3 };
const TIMEOUT_MAX = 2 ** 31 - 1; // ms; what a timer of Node holds

// The client's own: they frame the request or authenticate it.
const RESERVED = new Set([
  'authorization',
  'content-type',
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'host',
  'connection',
  'keep-alive',
  'expect',
  'te',
  'trailer',
  'upgrade',
  'idempotency-key',
  'prefer',
]);

function refuse(message) {
  throw new EsteiraTypeError('E-OPTION', message);
}

function checkHeader(name, value) {
  try {
    http.validateHeaderName(name);
    http.validateHeaderValue(name, value);
  } catch {
    refuse('headers: a name or value is not valid in HTTP'); // the value may be secret: not repeated
  }
}

function checkHeaders(headers) {
  if (headers === undefined || headers === null) return {};
  if (typeof headers !== 'object' || Array.isArray(headers)) refuse('headers must be an object');
  const kept = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || value === null) continue;
    const lower = name.toLowerCase();
    if (RESERVED.has(lower)) {
      warnOnce(
        'ESTEIRA_HEADER_IGNORED',
        `the header "${lower}" of a call is ignored: the Esteira client sets it`,
      );
      continue;
    }
    checkHeader(name, String(value));
    kept[lower] = String(value);
  }
  return kept;
}

function callOptions(options) {
  const given = options ?? {};
  if (typeof given !== 'object') refuse('options must be an object');
  const timeout = given.timeout ?? DEFAULTS.timeout;
  const retries = given.retries ?? DEFAULTS.retries;
  if (typeof timeout !== 'number' || !(timeout > 0 && timeout <= TIMEOUT_MAX)) {
    refuse('timeout must be a positive number of milliseconds');
  }
  if (!Number.isInteger(retries) || retries < 1)
    refuse('retries must be a whole number of attempts, 1 or more');
  return {
    timeout,
    retries,
    headers: checkHeaders(given.headers),
    extra: given.extra ?? {},
    id: given.id,
  };
}

module.exports = { callOptions, DEFAULTS };
