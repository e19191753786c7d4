'use strict';
// Goal: what is wrong with a call is said before anything is sent, without repeating any value.

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { sendEventToDashboard, sendBatchEvents } = require('..');
const { fakeShim, withEnv } = require('./fake_shim');

const SECRET = 'segredo-5511999990000';
const deep = () => {
  let v = {};
  for (let i = 0; i < 70; i++) v = { v };
  return v;
};
const thrower = {
  get [SECRET.slice(0, 3)]() {
    throw new Error(SECRET);
  },
};

const WRONG = [
  // [what, call, code, pointer, index]
  ['no event', () => sendEventToDashboard(undefined, {}), 'E-EVENT-SHAPE', '/event'],
  ['empty event', () => sendEventToDashboard('', {}), 'E-EVENT-SHAPE', '/event'],
  ['blank event', () => sendEventToDashboard('  ', {}), 'E-EVENT-SHAPE', '/event'],
  ['event as a number', () => sendEventToDashboard(7, {}), 'E-EVENT-SHAPE', '/event'],
  ['event too long', () => sendEventToDashboard('é'.repeat(65), {}), 'E-EVENT-SHAPE', '/event'],
  ['no payload', () => sendEventToDashboard('a'), 'E-EVENT-SHAPE', '/payload'],
  ['null payload', () => sendEventToDashboard('a', null), 'E-EVENT-SHAPE', '/payload'],
  ['payload as text', () => sendEventToDashboard('a', SECRET), 'E-EVENT-SHAPE', '/payload'],
  ['payload as an array', () => sendEventToDashboard('a', [SECRET]), 'E-EVENT-SHAPE', '/payload'],
  [
    'payload as bytes',
    () => sendEventToDashboard('a', Buffer.from(SECRET)),
    'E-EVENT-SHAPE',
    '/payload',
  ],
  ['payload as a date', () => sendEventToDashboard('a', new Date()), 'E-EVENT-SHAPE', '/payload'],
  [
    'payload whose toJSON gives text',
    () => sendEventToDashboard('a', { toJSON: () => SECRET }),
    'E-EVENT-SHAPE',
    '/payload',
  ],
  [
    'payload too deep',
    () => sendEventToDashboard('a', deep()),
    'E-JSON-DEPTH',
    '/payload' + '/v'.repeat(63),
  ],
  [
    'a getter that throws',
    () => sendEventToDashboard('a', { x: [thrower] }),
    'E-EVENT-SHAPE',
    '/payload/x/0/seg',
  ],
  [
    'extra with event',
    () => sendEventToDashboard('a', {}, { extra: { event: 'b' } }),
    'E-EVENT-SHAPE',
    '/event',
  ],
  [
    'extra with payload',
    () => sendEventToDashboard('a', {}, { extra: { payload: {} } }),
    'E-EVENT-SHAPE',
    '/payload',
  ],
  [
    'extra with id',
    () => sendEventToDashboard('a', {}, { extra: { id: 'x' } }),
    'E-EVENT-SHAPE',
    '/id',
  ],
  [
    'extra as an array',
    () => sendEventToDashboard('a', {}, { extra: [SECRET] }),
    'E-EVENT-SHAPE',
    '',
  ],
  ['empty id', () => sendEventToDashboard('a', {}, { id: '' }), 'E-EVENT-SHAPE', '/id'],
  ['options as text', () => sendEventToDashboard('a', {}, SECRET), 'E-OPTION'],
  ['timeout 0', () => sendEventToDashboard('a', {}, { timeout: 0 }), 'E-OPTION'],
  ['timeout as text', () => sendEventToDashboard('a', {}, { timeout: '5000' }), 'E-OPTION'],
  ['timeout without end', () => sendEventToDashboard('a', {}, { timeout: Infinity }), 'E-OPTION'],
  ['retries 0', () => sendEventToDashboard('a', {}, { retries: 0 }), 'E-OPTION'],
  ['retries 1.5', () => sendEventToDashboard('a', {}, { retries: 1.5 }), 'E-OPTION'],
  ['headers as a list', () => sendEventToDashboard('a', {}, { headers: [SECRET] }), 'E-OPTION'],
  [
    'a header with a line end',
    () => sendEventToDashboard('a', {}, { headers: { 'x-a': `${SECRET}\r\nx-b: 1` } }),
    'E-OPTION',
  ],
  [
    'a header name with a space',
    () => sendEventToDashboard('a', {}, { headers: { 'x a': SECRET } }),
    'E-OPTION',
  ],
  ['a batch that is none', () => sendBatchEvents({ event: 'a', payload: {} }), 'E-EVENT-SHAPE'],
  ['a batch item that is text', () => sendBatchEvents([SECRET]), 'E-EVENT-SHAPE', '', 0],
  [
    'the third item of a batch',
    () =>
      sendBatchEvents([{ event: 'a', payload: {} }, { event: 'a', payload: {} }, { event: 'a' }]),
    'E-EVENT-SHAPE',
    '/payload',
    2,
  ],
];

test('wrong calls', async (t) => {
  const fake = await fakeShim(t);
  withEnv(t, { ESTEIRA_URL: fake.url });
  for (const [what, call, code, pointer, index] of WRONG) {
    await t.test(what, async () => {
      const err = await call().then(
        () => assert.fail('was accepted'),
        (e) => e,
      );
      assert.ok(err instanceof TypeError, String(err));
      assert.deepEqual(
        [err.code, err.pointer, err.index, err.retryable],
        [code, pointer, index, false],
      );
      assert.match(err.message, new RegExp(`\\[${code}\\]$`));
      if (index !== undefined) assert.match(err.message, new RegExp(`^events\\[${index}\\]: `));
      assert.ok(
        !JSON.stringify([err.message, err.stack, err]).includes(SECRET),
        'no value in an error',
      );
    });
  }
  assert.equal(fake.requests.length, 0, 'nothing was sent');
});
