'use strict';
// One event, checked and written once: every try sends the same text with the same id.

const { EsteiraTypeError } = require('./errors');
const { serialize } = require('./serialize');
const { uuid7 } = require('./uuid7');

const NAME_MAX = 128; // bytes; the shim's own limits
const ID_MAX = 256;

function refuse(message, pointer) {
  throw new EsteiraTypeError('E-EVENT-SHAPE', message, { pointer });
}

function isObject(v) {
  return typeof v === 'object' && v !== null && !Array.isArray(v) && !ArrayBuffer.isView(v);
}

function check(event, payload, id, members) {
  if (typeof event !== 'string' || event.trim() === '')
    refuse('event must be a non-empty string', '/event');
  if (Buffer.byteLength(event) > NAME_MAX)
    refuse(`event is longer than ${NAME_MAX} bytes`, '/event');
  if (!isObject(payload)) refuse('payload must be an object', '/payload');
  if (id !== undefined && (typeof id !== 'string' || id === '' || Buffer.byteLength(id) > ID_MAX)) {
    refuse(`id must be a string of 1 to ${ID_MAX} bytes`, '/id');
  }
  for (const name of ['event', 'payload', 'id']) {
    if (Object.hasOwn(members, name)) refuse(`extra cannot replace "${name}"`, `/${name}`);
  }
}

// Returns {id, text}. `members` stand beside event and payload. An event without a time of its own
// gets this moment's, so that a late try does not make it look younger than it is.
function build(event, payload, givenId, members) {
  check(event, payload, givenId, members);
  const payloadText = serialize(payload, ['payload']);
  if (!payloadText?.startsWith('{')) refuse('payload must be an object', '/payload'); // its toJSON() chose otherwise
  const id = givenId ?? uuid7();
  const dated = (members.occurred_at ?? members.timestamp ?? null) !== null;
  const stamp = dated ? {} : { occurred_at: new Date() };
  const head = serialize({ ...members, ...stamp, id, event });
  return { id, text: `${head.slice(0, -1)},"payload":${payloadText}}` };
}

function buildEvent(event, payload, { id, extra = {} }) {
  if (!isObject(extra)) refuse('extra must be an object', '');
  return build(event, payload, id, extra);
}

function buildItem(item, index) {
  try {
    if (!isObject(item)) refuse('each item must be an object {event, payload}', '');
    const { event, payload, id, ...members } = item;
    return { ...build(event, payload, id, members), index };
  } catch (err) {
    if (!(err instanceof EsteiraTypeError)) throw err;
    throw err.at(index);
  }
}

module.exports = { buildEvent, buildItem };
