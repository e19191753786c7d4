// A list of experiments as a program. Prints one line of JSON for each; exits 0 only if all pass.
//
//   [--short] [--only NAME[,NAME…]] [--seed N] [--runs N] [--list]

import os from 'node:os';
import { parseArgs } from 'node:util';
import { ChaosKafka, PROXIES } from './kafka.mjs';
import { round, verdict } from './verdict.mjs';

// An experiment that could not be finished is one that failed.
async function attempt(name, experiment, context) {
  const start = performance.now();
  const machine_load = round(os.loadavg()[0], 1);
  const line = await experiment.run(context).catch((err) => ({
    ...verdict({}, { 'it could be finished': false }),
    error: err.stack,
  }));
  return { ...line, experiment: name, seed: context.seed, machine_load, took_s: since(start) };
}

const since = (start) => round((performance.now() - start) / 1000, 1);

// Some at a time, the next one as soon as one has ended.
async function sideBySide(names, one) {
  const rest = [...names];
  const worker = async () => {
    while (rest.length > 0) await one(rest.shift());
  };
  await Promise.all(Array.from({ length: PROXIES }, worker));
}

async function runAll(experiments, names, options) {
  const kafka = await ChaosKafka.open(options.short ? {} : { heap: '1g' });
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => kafka.end().finally(() => process.exit(1)));
  let passed = true;
  const one = async (name) => {
    const line = await attempt(name, experiments[name], { kafka, ...options });
    passed &&= line.pass;
    console.log(JSON.stringify(line));
  };
  try {
    const alone = names.filter((name) => !options.short || experiments[name].alone);
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

function readOptions() {
  const { values } = parseArgs({
    options: {
      short: { type: 'boolean', default: false },
      only: { type: 'string' },
      seed: { type: 'string', default: '1' },
      runs: { type: 'string' },
      list: { type: 'boolean', default: false },
    },
  });
  return values;
}

// experiments: {name: {run (context) => line, alone (true: nothing runs beside it, in short either),
// long (true: not in short)}}
export async function runExperiments(experiments) {
  const values = readOptions();
  const names = Object.keys(experiments);
  if (values.list) return console.log(names.join('\n'));
  const only =
    values.only?.split(',') ?? names.filter((name) => !values.short || !experiments[name].long);
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    console.error(`no experiment "${unknown}": ${names.join(' ')}`);
    process.exitCode = 64;
    return;
  }
  const options = {
    short: values.short,
    seed: Number(values.seed),
    runs: values.runs && Number(values.runs),
  };
  process.exitCode = (await runAll(experiments, only, options)) ? 0 : 1;
}
