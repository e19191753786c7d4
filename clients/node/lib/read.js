'use strict';
// What the dashboard says of itself, asked through the shim. One try: the caller asks again anyway.

const { endpoint } = require('./endpoint');
const { EsteiraError } = require('./errors');
const { DEFAULTS } = require('./options');
const { exchange } = require('./request');
const { away, parseObject, refusal, stranger } = require('./verdict');

async function getJson(path) {
  const to = endpoint();
  let answer;
  try {
    answer = await exchange(to, { method: 'GET', path, headers: {}, timeout: DEFAULTS.timeout });
  } catch (err) {
    throw Object.assign(away(err, to), { attempts: 1 });
  }
  if (answer.status !== 200) throw Object.assign(offline(refusal(answer, to)), { attempts: 1 });
  const value = parseObject(answer.text);
  if (value === undefined) throw stranger(answer, to);
  return value;
}

// The shim answers but the dashboard behind it does not.
function offline(err) {
  if (err.offlineSince === undefined) return err;
  const { status, retryAfter, offlineSince } = err;
  return new EsteiraError('E-DASH-DOWN', `the dashboard is offline since ${offlineSince}`, {
    retryable: true,
    status,
    retryAfter,
    offlineSince,
    errors: [],
  });
}

module.exports = { getJson };
