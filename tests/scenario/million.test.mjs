// Goal: the million (million.mjs) in small: 20,000 events of 500 bytes, none lost, each key in order.

import assert from 'node:assert/strict';
import { scenario } from '../support/pipeline.mjs';
import { carry } from './million.mjs';

scenario('20,000 events', { consumers: 2 }, async (belt) => {
  const sum = await carry(belt, 20_000);
  assert.deepEqual([sum.lost, sum.disordered, sum.duplicates], [0, 0, 0], JSON.stringify(sum));
});
