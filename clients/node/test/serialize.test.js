'use strict';
// Goal: every kind of value that bot libraries hand out becomes JSON that the shim takes.

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { serialize } = require('../lib/serialize');

const circle = { name: 'x' };
circle.self = circle;
circle.list = [circle];
const shared = { a: 1 };
const long = (low, high, unsigned = false) => ({ low, high, unsigned });
class Contact {
  constructor() {
    this.id = 7;
  }
  get name() {
    return 'not own';
  }
}

const CASES = [
  [
    'plain JSON',
    { a: [1, 'x', null, true, -0.5], b: {} },
    { a: [1, 'x', null, true, -0.5], b: {} },
  ],
  ['emoji and accents', 'Olá 👋🏽 João', 'Olá 👋🏽 João'],
  ['half an emoji', 'a\ud83db', 'a\ufffdb'],
  ['half an emoji in a name', { ['\ude00']: 1 }, { '\ufffd': 1 }],
  ['control characters', 'a\u0000\n"\\', 'a\u0000\n"\\'],
  [
    'undefined, functions, symbols',
    { a: undefined, b: () => 1, c: Symbol('x'), d: [undefined, () => 1] },
    { d: [null, null] },
  ],
  ['NaN and infinity', [NaN, Infinity, 0], [null, null, 0]],
  ['BigInt', { id: 12345678901234567890n }, { id: '12345678901234567890' }],
  ['Long, small', long(1732480000, 0), 1732480000],
  ['Long, negative', long(-1, -1), -1],
  ['Long, unsigned and large', long(-1, -1, true), '18446744073709551615'],
  ['Long, just exact', long(-1, 0x1fffff), 9007199254740991],
  ['Long, just not exact', long(0, 0x200000), '9007199254740992'],
  ['Long by its mark', Object.assign(long(5, 0), { __isLong__: true, toJSON: () => 'no' }), 5],
  ['Buffer', Buffer.from('olá'), { type: 'Buffer', data: 'b2zDoQ==' }],
  [
    'Uint8Array over a part',
    new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
    { type: 'Buffer', data: 'AgM=' },
  ],
  ['ArrayBuffer', new Uint8Array([1]).buffer, { type: 'Buffer', data: 'AQ==' }],
  ['other typed arrays', new Int16Array([-1, 2]), [-1, 2]],
  ['Date', { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
  ['an invalid Date', new Date('x'), null],
  [
    'Map of names',
    new Map([
      ['a', 1],
      ['b', new Map()],
    ]),
    { a: 1, b: {} },
  ],
  [
    'Map of others',
    new Map([
      [1, 'a'],
      ['1', 'b'],
    ]),
    [
      [1, 'a'],
      ['1', 'b'],
    ],
  ],
  ['Set', new Set([1, 'x']), [1, 'x']],
  ['boxed', [Object(1), Object('x'), Object(false), Object(5n)], [1, 'x', false, '5']],
  ['toJSON', { a: { toJSON: (key) => `asked by ${key}` } }, { a: 'asked by a' }],
  ['class instance', new Contact(), { id: 7 }],
  ['circles', circle, { name: 'x', self: '[Circular]', list: ['[Circular]'] }],
  ['the same object twice is no circle', [shared, shared], [{ a: 1 }, { a: 1 }]],
  ['no prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ['__proto__ as a name', JSON.parse('{"__proto__":{"a":1}}'), JSON.parse('{"__proto__":{"a":1}}')],
  ['holes', [, 1], [null, 1]], // eslint-disable-line no-sparse-arrays
];

for (const [what, given, want] of CASES) {
  test(what, () => assert.deepEqual(JSON.parse(serialize(given)), want));
}

test('Error', () => {
  const { name, message, code, stack } = JSON.parse(
    serialize(Object.assign(new RangeError('x'), { code: 'E' })),
  );
  assert.deepEqual([name, message, code, typeof stack], ['RangeError', 'x', 'E', 'string']);
});

test('64 levels are taken, 65 are not', () => {
  const nest = (n) => (n === 1 ? [] : [nest(n - 1)]);
  assert.equal(serialize(nest(64)).length, 128);
  assert.throws(() => serialize(nest(65)), { code: 'E-JSON-DEPTH', pointer: '/0'.repeat(64) });
});

test('names in a pointer are escaped', () => {
  const bad = {
    'a/b': {
      'c~d': {
        get x() {
          throw new Error('no');
        },
      },
    },
  };
  assert.throws(() => serialize(bad), { pointer: '/a~1b/c~0d/x' });
});
