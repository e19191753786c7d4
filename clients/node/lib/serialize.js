'use strict';
// Any value that a bot library hands out, as JSON text that the shim accepts.
//
// JSON.stringify alone would turn a Uint8Array into an object of digits, a Map into {}, fail on
// BigInt and on circles, and print a Long as {low, high}. Here:
//   Long            a number while that is exact, its digits as a string beyond 2^53
//   BigInt          its digits as a string
//   Buffer & co.    {"type":"Buffer","data":"<base64>"}
//   Date            ISO 8601; an invalid one is null
//   Map             an object when all keys are strings, else an array of [key, value]
//   Set, iterables of numbers (Int32Array …)    an array
//   Error           {name, message, code, stack}
//   a circle        "[Circular]" in its place
//   undefined, functions, symbols    left out of objects, null in arrays (as JSON.stringify does)
//   half an emoji (a lone surrogate)    U+FFFD
// Objects with toJSON() are asked first, as usual.

const { EsteiraTypeError } = require('./errors');

const DEPTH_MAX = 64; // the shim's own limit, the event itself counted

const escapePointer = (name) => name.replace(/~/g, '~0').replace(/\//g, '~1');
const isBytes = (v) => v instanceof Uint8Array || v instanceof ArrayBuffer || v instanceof DataView;
const isLong = (v) =>
  v.__isLong__ === true ||
  (typeof v.low === 'number' && typeof v.high === 'number' && typeof v.unsigned === 'boolean');

function quote(text) {
  return JSON.stringify(text.replace(/\p{Surrogate}/gu, '\ufffd'));
}

function longText(v) {
  const high = BigInt(v.unsigned ? v.high >>> 0 : v.high | 0);
  const digits = ((high << 32n) | BigInt(v.low >>> 0)).toString();
  return Number.isSafeInteger(Number(digits)) ? digits : `"${digits}"`;
}

function bytesText(v) {
  const bytes =
    v instanceof ArrayBuffer ? Buffer.from(v) : Buffer.from(v.buffer, v.byteOffset, v.byteLength);
  return `{"type":"Buffer","data":"${bytes.toString('base64')}"}`;
}

function errorFields(v) {
  return { name: v.name, message: v.message, code: v.code, stack: v.stack };
}

// What stands for `v` before it is written: its primitive, its toJSON(), its plain form.
function plain(v, key) {
  if (typeof v !== 'object' || v === null) return v;
  if (v instanceof Date) return Number.isNaN(v.getTime()) ? null : v.toISOString();
  if (v instanceof Number || v instanceof String || v instanceof Boolean || v instanceof BigInt)
    return v.valueOf();
  if (isBytes(v) || isLong(v)) return v;
  if (typeof v.toJSON === 'function') return v.toJSON(key);
  if (v instanceof Error) return errorFields(v);
  if (v instanceof Set || ArrayBuffer.isView(v)) return Array.from(v);
  return v;
}

function scalar(v) {
  switch (typeof v) {
    case 'string':
      return quote(v);
    case 'bigint':
      return `"${v}"`;
    case 'number':
      return Number.isFinite(v) ? String(v) : 'null';
    case 'boolean':
      return String(v);
    default:
      return v === null ? 'null' : undefined;
  }
}

class Writer {
  constructor(path) {
    this.path = [...path];
    this.open = path.map(() => null); // the objects we stand in, outermost first
  }

  pointer() {
    return this.path.map((name) => `/${escapePointer(name)}`).join('');
  }

  // JSON text, or undefined for what JSON has no word for.
  write(raw, key) {
    const v = plain(raw, key);
    if (typeof v !== 'object' || v === null) return scalar(v);
    if (isBytes(v)) return bytesText(v);
    if (isLong(v)) return longText(v);
    if (this.open.includes(v)) return '"[Circular]"';
    if (this.open.length >= DEPTH_MAX) {
      throw new EsteiraTypeError('E-JSON-DEPTH', `nested deeper than ${DEPTH_MAX} levels`, {
        pointer: this.pointer(),
      });
    }
    this.open.push(v);
    const text = this.container(v);
    this.open.pop();
    return text;
  }

  container(v) {
    if (v instanceof Map) {
      const pairs = [...v];
      const named = pairs.every(([name]) => typeof name === 'string');
      return named ? this.object(pairs) : this.array(pairs);
    }
    return Array.isArray(v)
      ? this.array(v)
      : this.object(
          Object.keys(v).map((name) => [name, undefined]),
          v,
        );
  }

  // `from` is read late, member by member, so that a getter that throws is named by its pointer.
  object(pairs, from) {
    const members = [];
    for (const [name, value] of pairs) {
      this.path.push(name);
      const text = this.write(from === undefined ? value : from[name], name);
      if (text !== undefined) members.push(`${quote(name)}:${text}`);
      this.path.pop();
    }
    return `{${members.join(',')}}`;
  }

  array(items) {
    const texts = [];
    for (let i = 0; i < items.length; i++) {
      this.path.push(String(i));
      texts.push(this.write(items[i], String(i)) ?? 'null');
      this.path.pop();
    }
    return `[${texts.join(',')}]`;
  }
}

// `path` says where in the event the value will stand. Throws EsteiraTypeError, naming the place but
// never the value.
function serialize(value, path = []) {
  const writer = new Writer(path);
  try {
    return writer.write(value, '');
  } catch (err) {
    if (err instanceof EsteiraTypeError) throw err;
    throw new EsteiraTypeError('E-EVENT-SHAPE', 'a getter or toJSON() of this value failed', {
      pointer: writer.pointer(),
    });
  }
}

module.exports = { serialize };
