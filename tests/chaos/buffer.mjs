#!/usr/bin/env node
// The experiments on the buffer. Prints one line of JSON for each; exits 0 only if all pass.
//
//   ./run chaos buffer [--short] [--only NAME] [--seed N] [--runs N] [--list]
//
// --short: seconds instead of minutes, with a fixed seed, and without judging rates (other tests run
// beside it). --seed: where `random` begins to count; a failing run names the seed that repeats it.

import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as backlog from './backlog.mjs';
import { ChaosKafka } from './kafka.mjs';
import * as legacy from './legacy.mjs';
import * as outage from './outage.mjs';
import * as random from './random.mjs';
import * as sentinel from './sentinel.mjs';
import * as shims from './shims.mjs';
import { round, verdict } from './verdict.mjs';

export const EXPERIMENTS = {
  outage_200: outage.slow,
  outage_20000: outage.fast,
  frozen_broker: outage.frozen,
  random: random.runs,
  two_shims: shims.oneCutOff,
  frozen_and_fenced: shims.frozenAndFenced,
  sentinel_wait: sentinel.withWait,
  sentinel_no_wait: sentinel.withoutWait,
  append_rate: backlog.appendRate,
  backlog: backlog.drainRate,
  import_legacy: legacy.imported,
};

// An experiment that could not be finished is one that failed.
async function attempt(name, context) {
  const start = performance.now();
  const line = await EXPERIMENTS[name](context).catch((err) => ({
    ...verdict({}, { 'it could be finished': false }),
    error: err.stack,
  }));
  return { ...line, experiment: name, seed: context.seed, took_s: round(since(start), 1) };
}

const since = (start) => (performance.now() - start) / 1000;

export async function runAll(names, options, tell) {
  const kafka = await ChaosKafka.open();
  let passed = true;
  try {
    for (const name of names) {
      await kafka.mend();
      const line = await attempt(name, { kafka, ...options });
      passed &&= line.pass;
      tell(line);
    }
  } finally {
    await kafka.end();
  }
  return passed;
}

async function main() {
  const { values } = parseArgs({
    options: {
      short: { type: 'boolean', default: false },
      only: { type: 'string' },
      seed: { type: 'string', default: '1' },
      runs: { type: 'string' },
      list: { type: 'boolean', default: false },
    },
  });
  const names = Object.keys(EXPERIMENTS);
  if (values.list) return console.log(names.join('\n'));
  if (values.only && !names.includes(values.only)) {
    console.error(`no experiment "${values.only}": ${names.join(' ')}`);
    process.exitCode = 64;
    return;
  }
  const options = {
    short: values.short,
    seed: Number(values.seed),
    runs: values.runs && Number(values.runs),
  };
  const passed = await runAll(values.only ? [values.only] : names, options, (line) =>
    console.log(JSON.stringify(line)),
  );
  process.exitCode = passed ? 0 : 1;
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  await main();
