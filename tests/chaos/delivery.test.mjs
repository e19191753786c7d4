// The arithmetic of the experiments on delivery.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { disobedient, windows } from './delivery_rate.mjs';
import { byLabel } from './delivery_account.mjs';
import { families } from './delivery_verdicts.mjs';

const ask = (status, ...events) => ({ status, events });

test('a refused batch and what it is cut into are one family', () => {
  const all = families([
    ask(200, 'x'),
    ask(422, 'a', 'b', 'c', 'd'),
    ask(422, 'a', 'b'),
    ask(200, 'y', 'z'),
    ask(201, 'a'),
    ask(422, 'b'),
    ask(200, 'c', 'd'),
    ask(422, 'e', 'f'),
    ask(422, 'e'),
    ask(201, 'f'),
  ]);
  assert.deepEqual(all, [
    { size: 4, failed: 3, requests: 5, poison: 1 },
    { size: 2, failed: 2, requests: 3, poison: 1 },
  ]);
});

test('a request inside a forbidden time is disobedient, but not what was under way', () => {
  const at = (ms, until = 0) => ({ at_us: ms * 1000, answered_us: ms * 1000, until_us: until * 1000 });
  const requests = [at(0), at(10, 1010), at(200), at(259), at(261), at(1009), at(1010), at(2000)];
  assert.deepEqual(
    disobedient(requests).map(({ at_us }) => at_us / 1000),
    [261, 1009],
  );
});

test('only whole windows are counted', () => {
  const at = (s, status, events) => ({ at_us: s * 1e6, status, events });
  const sum = windows(
    [at(5, 200, 10), at(6, 429, 10), at(14.9, 200, 10), at(15, 200, 10), at(24.9, 200, 10), at(25.1, 200, 9)],
    10e6,
  );
  assert.deepEqual(sum, { windows: 2, taken: 4, refused: 1, events: 40 });
});

test('a family of metrics is added up by one of its labels', () => {
  const text = 'f{destination="d",class="auth"} 2\nf{destination="e",class="auth"} 3\ng{class="x"} 1\n';
  assert.deepEqual(byLabel(text, 'f', 'class'), { auth: 5 });
});
