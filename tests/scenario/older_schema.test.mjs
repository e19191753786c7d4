// Goal: a schema that has changed keeps nobody from reading what was written with its former version, which
// lies in the folder `older` beside it; and the account goes on over the change.

import assert from 'node:assert/strict';
import path from 'node:path';
import { ROOT } from '../support/paths.mjs';
import { scenario } from '../support/pipeline.mjs';
import { Publisher } from '../support/publisher.mjs';
import { series } from '../support/samples.mjs';

const FORMER = path.join(ROOT, 'schemas/older/order-1.avsc');

scenario('a shim of the former version, then one of the new', { start: false }, async (belt) => {
  const now = belt.shim.env;
  belt.shim.env = { ...now, ESTEIRA_TYPES_ORDER_SCHEMA: FORMER };
  await belt.shim.start();
  const publisher = new Publisher(belt.url);
  await publisher.send([...series(200)]);
  await belt.shim.stop();
  belt.shim.env = now;
  await Promise.all([belt.shim.start(), ...belt.consumers.map((one) => one.start())]);
  await publisher.send([...series(200, { name: 'later' })]);
  const sum = await belt.delivered(publisher.accepted);
  assert.equal(sum.duplicates, 0);
  await belt.conserved();
});
