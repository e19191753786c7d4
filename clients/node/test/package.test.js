'use strict';
// Goal: what npm would publish can be required and imported, with nothing left over.

const { test } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { uuid7 } = require('../lib/uuid7');

const ROOT = path.join(__dirname, '..');
const manifest = require('../package.json');
const NAMES = [
  'EsteiraError',
  'getDashboardMetrics',
  'getDashboardStatus',
  'sendBatchEvents',
  'sendEventToDashboard',
];

test('the same names by require and by import', async () => {
  assert.deepEqual(Object.keys(require('..')).sort(), NAMES);
  const esm = await import('../index.mjs');
  assert.deepEqual(
    Object.keys(esm)
      .filter((n) => n !== 'default')
      .sort(),
    NAMES,
  );
  assert.equal(esm.sendEventToDashboard, require('..').sendEventToDashboard);
  const own = await import('esteira');
  assert.equal(own.EsteiraError, require('esteira').EsteiraError);
});

test('every name has its declaration', () => {
  const text = fs.readFileSync(path.join(ROOT, 'index.d.ts'), 'utf8');
  for (const name of NAMES) assert.match(text, new RegExp(`export (function|class) ${name}\\b`), name);
  const esm = fs.readFileSync(path.join(ROOT, 'index.d.mts'), 'utf8');
  assert.match(esm, /^export \* from '\.\/index\.js';$/m, 'one list of declarations, not two');
  for (const name of NAMES) assert.match(esm, new RegExp(`\\| '${name}'`), `default: ${name}`);
});

test('exports: types first, every target exists and is published', () => {
  const targets = [];
  const walk = (node) => {
    if (typeof node === 'string') return targets.push(node);
    if ('types' in node) assert.equal(Object.keys(node)[0], 'types');
    return Object.values(node).forEach(walk);
  };
  walk(manifest.exports);
  for (const target of targets) {
    assert.ok(fs.existsSync(path.join(ROOT, target)), target);
    assert.ok(
      target === './package.json' || manifest.files.includes(target.slice(2)),
      `${target} is published`,
    );
  }
  assert.equal(manifest.dependencies, undefined);
});

test('ids of one process ascend, also within a millisecond and when the clock steps back', () => {
  const now = Date.now();
  const ids = Array.from({ length: 20_000 }, (_, i) => uuid7(i < 10_000 ? now : now - 5000));
  assert.deepEqual(ids, [...ids].sort());
  assert.equal(new Set(ids).size, ids.length);
});
