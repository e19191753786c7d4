#!/usr/bin/env node
// The belt as docker compose runs it, and what becomes of the events when it is treated badly. One line of
// JSON for each experiment; exits 0 only if all pass.
//
//   ./run chaos compose [--short] [--only NAME,…] [--list]
//
// The engine is the one that DOCKER_HOST names, with the images that docker-compose.yml asks for.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { round, verdict } from '../chaos/verdict.mjs';
import * as authority from './authority.mjs';
import * as deaths from './deaths.mjs';
import * as first from './first.mjs';
import * as members from './members.mjs';
import * as partitions from './partitions.mjs';
import * as planned from './planned.mjs';
import { reproducible } from './reproducible.mjs';
import { Stack } from './stack.mjs';

// ha: on the belt of docker-compose.ha.yml, one for all of them; long: not in --short.
const EXPERIMENTS = {
  contact: { run: first.contact },
  reproducible: { run: reproducible, long: true },
  authority: { run: authority.wrong, ha: true },
  deaths: { run: deaths.deaths, ha: true },
  planned: { run: planned.planned, ha: true },
  partitions: { run: partitions.grownUnderLoad, ha: true, long: true },
  members: { run: members.shared, ha: true, long: true },
};

const since = (start) => (performance.now() - start) / 1000;

// An experiment that could not be finished is one that failed.
async function attempt(name, context) {
  const start = performance.now();
  const line = await EXPERIMENTS[name].run(context).catch((err) => ({
    ...verdict({}, { 'it could be finished': false }),
    error: `${err.stack} ${err.stderr ?? ''}`,
  }));
  if (!line.pass) await Promise.allSettled(context.stack.loads.map((load) => load.stop()));
  const whole = { ...line, experiment: name, took_s: round(since(start), 1) };
  console.log(JSON.stringify(whole));
  return line.pass;
}

// The services' last words, for whoever looks into a failure.
async function keepLogs(stack) {
  const file = path.join(os.tmpdir(), `esteira-compose-${process.pid}.log`);
  const logs = await stack.compose('logs', '--no-color', '--tail', '400').catch((err) => err.message);
  const state = await stack.compose('ps', '-a').catch((err) => err.message);
  fs.writeFileSync(file, state + logs);
  console.error(`logs kept in ${file}`);
}

async function onOneBelt(names, ha, short) {
  if (names.length === 0) return true;
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'esteira-compose-'));
  const stack = new Stack(dir, { ha });
  let passed = true;
  try {
    await stack.prepare();
    if (ha) {
      const up = round(await stack.up(), 1);
      console.log(JSON.stringify({ experiment: 'up', up_s: up, memory: await stack.memory() }));
    }
    for (const name of names) passed = (await attempt(name, { stack, short })) && passed;
    if (!passed) await keepLogs(stack);
    if (ha && (await stack.down()) !== 0) throw new Error('down -v left something');
  } catch (err) {
    console.error(err.stack, err.stderr ?? '');
    if (passed) await keepLogs(stack);
    passed = false;
  } finally {
    await stack.end();
    fs.rmSync(dir, { recursive: true, force: true });
  }
  return passed;
}

async function main() {
  const { values } = parseArgs({
    options: {
      short: { type: 'boolean', default: false },
      only: { type: 'string' },
      list: { type: 'boolean', default: false },
    },
  });
  const all = Object.keys(EXPERIMENTS);
  if (values.list) return console.log(all.join('\n'));
  const wanted = values.only?.split(',') ?? all.filter((name) => !values.short || !EXPERIMENTS[name].long);
  const unknown = wanted.filter((name) => !all.includes(name));
  if (unknown.length > 0) {
    console.error(`no experiment "${unknown}": ${all.join(' ')}`);
    process.exitCode = 64;
    return;
  }
  let passed = true;
  for (const ha of [false, true]) {
    const names = wanted.filter((name) => Boolean(EXPERIMENTS[name].ha) === ha);
    passed = (await onOneBelt(names, ha, values.short)) && passed;
  }
  process.exitCode = passed ? 0 : 1;
}

await main();
process.exit(); // whatever a failed experiment left open holds nobody up
