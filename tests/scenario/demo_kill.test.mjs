// Goal: every part of the demo's belt dies once by SIGKILL under load and is started again (demo_kill.mjs in
// small): nothing is lost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inFolder, isFine, line, rounds } from './demo_kill.mjs';

test('shim, consumers, dashboard, Redis and Kafka', { timeout: 240_000 }, async (t) => {
  const sum = await inFolder((dir) =>
    rounds({ seed: 22, count: 6, dir, say: (text) => t.diagnostic(text) }),
  );
  t.diagnostic(line(sum));
  assert.ok(sum.sent > 0);
  assert.ok(isFine(sum), line(sum));
});
