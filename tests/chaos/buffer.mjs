#!/usr/bin/env node
// The experiments on the buffer. Prints one line of JSON for each; exits 0 only if all pass.
//
//   ./run chaos buffer [--short] [--only NAME] [--seed N] [--runs N] [--list]
//
// --short: seconds instead of minutes, with a fixed seed, and without judging rates (other tests run
// beside it). --seed: where `random` begins to count; a failing run names the seed that repeats it.

import { parseArgs } from 'node:util';
import * as backlog from './backlog.mjs';
import { ChaosKafka, PROXIES } from './kafka.mjs';
import * as legacy from './legacy.mjs';
import * as outage from './outage.mjs';
import * as random from './random.mjs';
import * as sentinel from './sentinel.mjs';
import * as shims from './shims.mjs';
import { round, verdict } from './verdict.mjs';

// alone: also in short; it kills or freezes Kafka itself, or measures how long requests take.
const EXPERIMENTS = {
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
};

// An experiment that could not be finished is one that failed.
async function attempt(name, context) {
  const start = performance.now();
  const line = await EXPERIMENTS[name].run(context).catch((err) => ({
    ...verdict({}, { 'it could be finished': false }),
    error: err.stack,
  }));
  return { ...line, experiment: name, seed: context.seed, took_s: round(since(start), 1) };
}

const since = (start) => (performance.now() - start) / 1000;

// Some at a time, the next one as soon as one has ended.
async function sideBySide(names, one) {
  const rest = [...names];
  const worker = async () => {
    while (rest.length > 0) await one(rest.shift());
  };
  await Promise.all(Array.from({ length: PROXIES }, worker));
}

async function runAll(names, options) {
  const kafka = await ChaosKafka.open(options.short ? {} : { heap: '1g' });
  let passed = true;
  const one = async (name) => {
    const line = await attempt(name, { kafka, ...options });
    passed &&= line.pass;
    console.log(JSON.stringify(line));
  };
  try {
    const alone = names.filter((name) => !options.short || EXPERIMENTS[name].alone);
    await sideBySide(
      names.filter((name) => !alone.includes(name)),
      one,
    );
    for (const name of alone) {
      await kafka.mend();
      await one(name);
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
  const passed = await runAll(values.only ? [values.only] : names, options);
  process.exitCode = passed ? 0 : 1;
}

await main();
