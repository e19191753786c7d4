#!/usr/bin/env node
// The experiments on the buffer.
//
//   ./run chaos buffer [--short] [--only NAME] [--seed N] [--runs N] [--list]
//
// --short: seconds instead of minutes, with a fixed seed, and without judging rates (other tests run
// beside it). --seed: where `random` begins to count; a failing run names the seed that repeats it.

import * as backlog from './backlog.mjs';
import { runExperiments } from './experiments.mjs';
import * as legacy from './legacy.mjs';
import * as outage from './outage.mjs';
import * as random from './random.mjs';
import * as sentinel from './sentinel.mjs';
import * as shims from './shims.mjs';

// alone: also in short; it kills or freezes Kafka itself, or measures how long requests take.
await runExperiments({
  outage_200: { run: outage.slow, alone: true },
  outage_20000: { run: outage.fast, alone: true },
  frozen_broker: { run: outage.frozen, alone: true },
  random: { run: random.runs, alone: true },
  two_shims: { run: shims.oneCutOff },
  frozen_and_fenced: { run: shims.frozenAndFenced },
  sentinel_wait: { run: sentinel.withWait },
  sentinel_no_wait: { run: sentinel.withoutWait },
  append_rate: { run: backlog.appendRate },
  backlog: { run: backlog.drainRate },
  import_legacy: { run: legacy.imported },
});
