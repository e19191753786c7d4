#!/usr/bin/env node
// Goal: SIGKILL of any part of the demo's own belt (deploy/demo) at any moment, and a plain start of it
// again, while senders repeat until 202: nothing is lost. By hand:
//
//   node tests/scenario/demo_kill.mjs SEED ROUNDS
//
// Prints a line for each round and then one like that of `./run demo --once`; exits 1 when an event is
// lost, dead-lettered, or by the word of shim and consumers still on its way.
// Who dies, how long it stays away and how soon the next one follows are drawn from SEED. Parts are drawn
// like cards, so that each dies once in six rounds; the next may fall before the last one is back. Duplicates
// that the dashboard counted in the moment before its own death are not in the sum.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Belt, PORTS } from '../../deploy/demo/belt.mjs';
import { Account } from '../../deploy/demo/count.mjs';
import { PartFailed } from '../../deploy/demo/part.mjs';
import { day } from '../../deploy/demo/samples.mjs';
import { Sender } from '../../deploy/demo/send.mjs';
import { freePorts } from '../support/ports.mjs';
import { draw } from '../support/random.mjs';
import { pause, waitFor, within } from '../support/wait.mjs';

const LANES = 6;
const BATCH = 20;
const CALM_MS = 2500; // at most, between a start and the next death
const AWAY_MS = 1500; // at most, from a death to the start
const STARTED_MS = 60_000;

// On ports of its own: another demo may run on this machine.
async function makeBelt(dir) {
  const ports = await freePorts(PORTS.length);
  const wanted = Object.fromEntries(PORTS.map((name, i) => [name, ports[i]]));
  fs.writeFileSync(path.join(dir, 'ports.json'), JSON.stringify(wanted));
  const belt = new Belt(dir);
  await belt.prepare();
  return belt;
}

// Bots that go on until told to stop: single events and batches in turn. What they sent has its 202, for a
// Sender comes back only then.
class Bots {
  sent = 0;
  over = false;

  constructor(sender) {
    this.sender = sender;
    this.next = day();
    this.lanes = Promise.all(Array.from({ length: LANES }, (_, n) => this.lane(n)));
    this.lanes.catch(() => {}); // whoever awaits finish() is told
  }

  async lane(n) {
    for (let turn = n; !this.over && !this.sender.over; turn++) {
      const events = Array.from({ length: turn % 2 ? BATCH : 1 }, this.next);
      await (events.length === 1 ? this.sender.one(events[0]) : this.sender.batch(events));
      this.sent += events.length;
      await pause(10);
    }
  }

  async finish() {
    this.over = true;
    await within(120_000, 'the bots got their last 202', this.lanes);
    return this.sent;
  }
}

// The parts and their deaths. A start goes on in the background; one that a later death cut short is no
// failure, one that fails by itself is.
class Reaper {
  constructor({ belt, account, random }) {
    Object.assign(this, { belt, account, random });
    this.deck = [];
    this.starts = new Map();
    this.deaths = new Map();
  }

  next() {
    if (this.deck.length === 0) this.deck = this.random.shuffle(this.belt.parts);
    return this.deck.pop();
  }

  async kill(part) {
    await this.settled(part, part === this.belt.kafka ? STARTED_MS : 0);
    if (!part.running) throw new Error(`${part.name} had ended by itself; see ${part.log}`);
    if (part === this.belt.dashboard) await this.account.look(); // its counters die with it
    this.deaths.set(part, (this.deaths.get(part) ?? 0) + 1);
    await part.end('SIGKILL');
  }

  start(part) {
    const life = this.deaths.get(part);
    const started = part.start().catch((err) => {
      const cutShort = err instanceof PartFailed && this.deaths.get(part) > life;
      if (!cutShort) throw err;
    });
    started.catch(() => {}); // settled() passes it on
    this.starts.set(part, started);
  }

  // The start under way, if any: awaited for `ms` at most, its failure passed on.
  async settled(part, ms = STARTED_MS) {
    const started = this.starts.get(part);
    if (ms === 0) await Promise.race([started, Promise.resolve()]);
    else await within(ms, `${part.name} has started; see ${part.log}`, Promise.resolve(started));
  }

  async round() {
    const calm = this.random.upTo(CALM_MS);
    const away = this.random.upTo(AWAY_MS);
    await pause(calm);
    const part = this.next();
    await this.kill(part);
    await pause(away);
    this.start(part);
    return `${part.name} killed after ${calm} ms, away for ${away} ms`;
  }

  async allUp() {
    await Promise.all(this.belt.parts.map((part) => this.settled(part)));
  }
}

// All is at the dashboard, and the consumers say so too.
async function arrive(account, sent) {
  let sum;
  await waitFor(
    () => `${sum.delivered} of ${sent} delivered, ${account.behind} lie before the consumers, ${account.buffered} in Redis`,
    async () => {
      await account.look();
      sum = account.sum();
      return sum.delivered >= sent && account.dashboardKnown && account.behind + account.buffered === 0;
    },
    { within: 90_000, every: 100 },
  );
  return sum;
}

export async function rounds({ seed, count, say = () => {}, dir }) {
  const belt = await makeBelt(dir);
  const sender = new Sender(belt);
  const account = new Account(belt, sender);
  try {
    await belt.start(() => {});
    const bots = new Bots(sender);
    const reaper = new Reaper({ belt, account, random: draw(seed) });
    for (let n = 1; n <= count; n++) say(`${n}: ${await reaper.round()}; sent ${bots.sent}`);
    await reaper.allUp();
    const sent = await bots.finish();
    const { delivered, dead } = await arrive(account, sent).catch((err) => {
      say(`▲ ${err.message}`);
      return account.sum();
    });
    const { duplicates, behind, buffered } = account;
    return { sent, delivered, duplicates, dead, behind: behind + buffered, lost: sent - delivered };
  } finally {
    sender.stop();
    await belt.stop();
  }
}

export const line = ({ sent, delivered, duplicates, dead, behind, lost }) =>
  `sent ${sent} delivered ${delivered} duplicates ${duplicates} dead ${dead} behind ${behind} lost ${lost}`;

export const isFine = ({ dead, behind, lost }) => dead === 0 && behind === 0 && lost === 0;

// Runs `body` in a folder that is kept, with its logs, when it fails.
export async function inFolder(body) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'esteira-demo-kill-'));
  let sum;
  try {
    sum = await body(dir);
  } finally {
    if (sum && isFine(sum)) fs.rmSync(dir, { recursive: true, force: true });
    else console.error(`logs kept in ${dir}`);
  }
  return sum;
}

async function main(seed, count) {
  const sum = await inFolder((dir) => rounds({ seed, count, dir, say: console.log }));
  console.log(`seed ${seed}: ${line(sum)}`);
  process.exitCode = isFine(sum) ? 0 : 1;
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [seed, count] = process.argv.slice(2).map(Number);
  if (!Number.isInteger(seed) || !Number.isInteger(count) || count < 1) {
    console.error('usage: demo_kill.mjs SEED ROUNDS');
    process.exitCode = 64;
  } else {
    await main(seed, count);
  }
}
