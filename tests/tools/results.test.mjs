// tools/results.mjs: what ctest, cmocka and node:test write becomes the right sum.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countInside, readJunit, readLines, skippedInside, total } from '../../tools/results.mjs';

const junit = (...cases) => `<testsuite tests="${cases.length}">${cases.join('\n')}</testsuite>`;
const ok = (name, output) =>
  `<testcase name="${name}" status="run"><system-out>${output}</system-out></testcase>`;
const bad = (name, output) =>
  `<testcase name="${name}" status="fail"><failure message=""/><system-out>${output}</system-out></testcase>`;

const CMOCKA = '[==========] Running 3 test(s).\n[  PASSED  ] 3 test(s).\n';
const CMOCKA_BAD = '[  PASSED  ] 2 test(s).\n[  FAILED  ] 1 test(s), listed below:\n[  FAILED  ] a\n';
const TAP = 'ok 1 - a\nok 2 - b # SKIP no browser\n# tests 2\n# pass 1\n# fail 0\n# cancelled 0\n# skipped 1\n';
const SPEC = '✔ a (1ms)\n﹣ b (0.1ms) # no browser\nℹ tests 2\nℹ pass 1\nℹ fail 0\nℹ skipped 1\n';

const cases = [
  { name: 'a plain command counts one', xml: junit(ok('a', 'hello')), want: [1, 0, 0] },
  { name: 'cmocka', xml: junit(ok('a', CMOCKA)), want: [3, 0, 0] },
  { name: 'cmocka that fails', xml: junit(bad('a', CMOCKA_BAD)), want: [2, 1, 0] },
  { name: 'a crash before any sum', xml: junit(bad('a', 'Segmentation fault')), want: [0, 1, 0] },
  { name: 'TAP', xml: junit(ok('a', TAP)), want: [1, 0, 1] },
  { name: 'spec reporter', xml: junit(ok('a', SPEC)), want: [1, 0, 1] },
  { name: 'only skipped inside', xml: junit(ok('a', '# pass 0\n# skipped 2\n')), want: [0, 0, 2] },
  { name: 'skipped by ctest', xml: '<testcase name="a" status="notrun"><skipped message="x"/></testcase>', want: [0, 0, 1] },
  { name: 'two of them', xml: junit(ok('a', CMOCKA), ok('b', '')), want: [4, 0, 0] },
  { name: 'escaped output', xml: junit(ok('a', '&lt;failure\n# pass 2\n')), want: [2, 0, 0] },
];

for (const { name, xml, want } of cases) {
  test(name, () => {
    const { passed, failed, skipped } = total(readJunit(xml));
    assert.deepEqual([passed, failed, skipped], want);
  });
}

test('lines of our own', () => {
  const results = readLines('passed\ta\t\nfailed\tb\tbroke\nskipped\tc\tno network\n');
  assert.deepEqual(total(results), { passed: 1, failed: 1, skipped: 1 });
  assert.deepEqual(results[2].skips, [{ name: 'c', reason: 'no network' }]);
});

test('skips say why', () => {
  assert.deepEqual(skippedInside(TAP), [{ name: 'b', reason: 'no browser' }]);
  assert.deepEqual(skippedInside(SPEC), [{ name: 'b', reason: 'no browser' }]);
  assert.equal(countInside('').passed, 0);
});
