'use strict';
// Events to the shim: tries, waits between them, and what came of it.

const { endpoint } = require('./endpoint');
const { exchange } = require('./request');
const { away, parseObject, refusal, stranger } = require('./verdict');

const WAIT_STEP = 500; // ms, times the number of the failed try
const PART_EVENTS = 5000; // of one request; the shim takes 10,000
const PART_BYTES = 8 * 1024 * 1024; // of one request; the shim takes 16 MiB

// Keeps the process alive on purpose: a call is pending.
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function body(events, single) {
  return single ? events[0].text : `[${events.map((ev) => ev.text).join(',')}]`;
}

// One try: the shim's 202 as an object, or the error that says why not.
async function post(events, single, opts) {
  const to = endpoint();
  let answer;
  try {
    answer = await exchange(to, {
      method: 'POST',
      path: '/v1/events',
      headers: { ...opts.headers, 'content-type': 'application/json' },
      body: body(events, single),
      timeout: opts.timeout,
    });
  } catch (err) {
    throw away(err, to);
  }
  if (answer.status !== 202) throw refusal(answer, to, events);
  const accepted = parseObject(answer.text);
  if (accepted === undefined || accepted.buffered === undefined) throw stranger(answer, to);
  return accepted;
}

// The shim may have made some of a batch durable before it answered 503: only the rest is repeated.
function stillOpen(events, { retryIds }) {
  if (retryIds === undefined) return events;
  const wanted = new Set(retryIds);
  const rest = events.filter((ev) => wanted.has(ev.id));
  return rest.length > 0 ? rest : events;
}

// How long to wait before the next try, or undefined when there is none: the last try is spent, the
// fault is final, or the shim asks for more patience than one try's timeout.
function pause(err, attempt, opts) {
  if (!err.retryable || attempt >= opts.retries || err.retryAfter > opts.timeout) return undefined;
  return Math.max(WAIT_STEP * attempt, err.retryAfter);
}

async function attempts(events, single, opts) {
  let open = events;
  for (let attempt = 1; ; attempt++) {
    try {
      return await post(open, single, opts);
    } catch (err) {
      if (err.code === undefined || err.retryable === undefined) throw err;
      open = stillOpen(open, err);
      const ms = pause(err, attempt, opts);
      if (ms === undefined)
        throw Object.assign(err, { attempts: attempt, ids: open.map((ev) => ev.id) });
      await wait(ms);
    }
  }
}

async function sendOne(event, opts) {
  const answer = await attempts([event], true, opts);
  return { success: true, id: event.id, buffered: Boolean(answer.buffered) };
}

function parts(events) {
  const list = [];
  let part = [];
  let bytes = 0;
  for (const ev of events) {
    const size = Buffer.byteLength(ev.text) + 1;
    if (part.length > 0 && (part.length >= PART_EVENTS || bytes + size > PART_BYTES)) {
      list.push(part);
      part = [];
      bytes = 0;
    }
    part.push(ev);
    bytes += size;
  }
  if (part.length > 0) list.push(part);
  return list;
}

// Parts go one after the other, so that order is kept; when one fails, `ids` of the error names all
// events that were not accepted, those of later parts among them.
async function sendAll(events, opts) {
  const queue = parts(events);
  let buffered = 0;
  for (let i = 0; i < queue.length; i++) {
    try {
      buffered += Number((await attempts(queue[i], false, opts)).buffered);
    } catch (err) {
      const later = queue
        .slice(i + 1)
        .flat()
        .map((ev) => ev.id);
      const ids = [...(err.ids ?? []), ...later];
      throw Object.assign(err, { ids, accepted: events.length - ids.length });
    }
  }
  return { success: true, accepted: events.length, buffered, ids: events.map((ev) => ev.id) };
}

module.exports = { sendAll, sendOne };
