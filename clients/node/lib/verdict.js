'use strict';
// What an answer of the shim means for the caller, as one table.

const { EsteiraError } = require('./errors');

// status → [code, retryable, text]
const MEANING = {
  400: ['E-EVENT-REFUSED', false, 'the shim refused the events; none of them was kept'],
  401: ['E-AUTH', false, 'the shim refused the token; check ESTEIRA_TOKEN'],
  403: ['E-AUTH', false, 'the shim refused the token; check ESTEIRA_TOKEN'],
  408: ['E-SHIM-BUSY', true, 'the shim did not get the whole request in time'],
  413: [
    'E-EVENT-REFUSED',
    false,
    'the events are larger than the shim takes; none of them was kept',
  ],
  415: ['E-EVENT-REFUSED', false, 'the shim does not take this content type'],
  422: ['E-EVENT-REFUSED', false, 'the shim refused the events; none of them was kept'],
  425: ['E-SHIM-BUSY', true, 'the shim asks to repeat later'],
  429: ['E-SHIM-BUSY', true, 'the rate limit of this token is reached'],
  500: ['E-SHIM-BUSY', true, 'the shim failed'],
  502: ['E-SHIM-BUSY', true, 'the shim is not reachable behind its proxy'],
  503: ['E-SHIM-BUSY', true, 'the shim cannot take events right now'],
  504: ['E-SHIM-BUSY', true, 'the shim did not answer its proxy in time'],
};
const STRANGER = [
  'E-NOT-A-SHIM',
  false,
  'something answers there that is not the Esteira shim; check ESTEIRA_URL',
];

function parseObject(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

// Only code, pointer, index and the shim's own sentence: its details never quote values. The shim
// counts within the request; `sent` knows where an event stood in the caller's batch.
function errorList(problem, sent) {
  const faults = Array.isArray(problem?.errors) ? problem.errors : [];
  return faults.map(({ index, pointer, code, detail }) => {
    return { index: sent?.[index]?.index ?? index, pointer, code, detail };
  });
}

function firstFault([first]) {
  if (first === undefined) return '';
  const place = [first.index === undefined ? '' : `event ${first.index}`, first.pointer]
    .filter(Boolean)
    .join(' ');
  return `: ${place}${place && first.detail ? ': ' : ''}${first.detail ?? ''}`;
}

// Seconds or an HTTP date (RFC 9110 §10.2.3), as milliseconds from now; 0 when absent or unreadable.
function retryAfterMs(field, now = Date.now()) {
  if (field === undefined) return 0;
  if (/^\d+$/.test(field)) return Number(field) * 1000;
  const at = Date.parse(field);
  return Number.isNaN(at) ? 0 : Math.max(0, at - now);
}

function refusal(answer, to, sent) {
  const problem = parseObject(answer.text);
  const [code, retryable, text] = MEANING[answer.status] ?? STRANGER;
  const errors = errorList(problem, sent);
  const details = {
    retryable,
    status: answer.status,
    errors,
    retryAfter: retryAfterMs(answer.retryAfter),
  };
  if (Array.isArray(problem?.retry_ids))
    details.retryIds = problem.retry_ids.filter((id) => typeof id === 'string');
  if (typeof problem?.offline_since === 'string') details.offlineSince = problem.offline_since;
  const hint = code === 'E-NOT-A-SHIM' ? to.hint : '';
  return new EsteiraError(code, `${text} (${answer.status})${firstFault(errors)}${hint}`, details);
}

function stranger(answer, to) {
  return new EsteiraError(STRANGER[0], `${STRANGER[2]} (${answer.status})${to.hint}`, {
    status: answer.status,
    errors: [],
    retryAfter: 0,
  });
}

function away(err, to) {
  const why = err.code ?? 'no answer';
  return new EsteiraError(
    'E-SHIM-AWAY',
    `the Esteira shim at ${to.label} does not answer (${why})${to.hint}`,
    { retryable: true, errors: [], retryAfter: 0, cause: err },
  );
}

module.exports = { away, parseObject, refusal, retryAfterMs, stranger };
