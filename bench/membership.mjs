// Which membership costs least when members die, join and leave: range or cooperative-sticky, dynamic or
// static. Three topics, of which one takes a minute for each record. Two members; A is killed and started at
// once, B is killed and stays away, B joins again, A is stopped. One JSON line a cell.
//
//   node bench/membership.mjs [PROGRAM…]     bench_member, as built against one librdkafka or the other
//
// ESTEIRA_MEMBERSHIP_RATE (10,000) records a second; ESTEIRA_MEMBERSHIP_DIR: where journals are written.

import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Kafka } from '../tests/support/kafka.mjs';
import { program } from '../tests/support/paths.mjs';
import { pause, waitFor } from '../tests/support/wait.mjs';

const RATE = Number(process.env.ESTEIRA_MEMBERSHIP_RATE ?? 10_000);
const DIR =
  process.env.ESTEIRA_MEMBERSHIP_DIR ?? fs.mkdtempSync(path.join(os.tmpdir(), 'esteira-members-'));
const PARTITIONS = 4;

const output = (file, args) => execFileSync(file, args, { encoding: 'utf8' });

function topicsOf(file, kafka, name) {
  const topics = ['a', 'b', 'hangs'].map((t) => `member.${name}.${t}`);
  output(file, ['topics', kafka.brokers, String(PARTITIONS), ...topics]);
  return topics;
}

class Member {
  constructor(cell, name) {
    Object.assign(this, { cell, name, log: [] });
    this.journal = path.join(DIR, `${cell.name}.${name}.journal`);
  }

  start() {
    const { file, kafka, assignor, isStatic, topics, name } = this.cell;
    const instance = isStatic ? `member-${this.name}` : '-';
    const args = [
      'join',
      kafka.brokers,
      name,
      assignor,
      instance,
      topics[2],
      this.inside(),
      ...topics,
    ];
    this.child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface({ input: this.child.stdout }).on('line', (line) => this.log.push(line));
    this.gone = new Promise((resolve) => this.child.once('exit', resolve));
  }

  // As the program sees the path, which may run with another root.
  inside() {
    const root = process.env.ESTEIRA_MEMBERSHIP_ROOT ?? '';
    return this.journal.startsWith(root) ? this.journal.slice(root.length) : this.journal;
  }

  async end(signal) {
    const at = Date.now();
    this.child.kill(signal);
    await this.gone;
    return at;
  }
}

// [{t, key, offset}] of what counts: not of the topic that hangs.
function settled(cell) {
  const all = ['A', 'B'].flatMap((name) => {
    const file = path.join(DIR, `${cell.name}.${name}.journal`);
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  });
  return all
    .map((line) => line.split(' '))
    .map(([t, topic, partition, offset]) => ({
      t: +t,
      topic,
      key: `${topic}/${partition}`,
      offset: +offset,
    }));
}

// The longest that a partition stood still from that moment on.
function standstill(rows, from, within) {
  const last = new Map();
  let most = 0;
  for (const { t, key } of rows) {
    if (t < from - 1000 || t > from + within) continue;
    const before = last.get(key);
    if (before !== undefined && t > from) most = Math.max(most, t - Math.max(before, from));
    last.set(key, t);
  }
  return most / 1000;
}

function judge(cell, at) {
  const every = settled(cell);
  const hung = every.filter(({ topic }) => topic === cell.topics[2]);
  const rows = every.filter(({ topic }) => topic !== cell.topics[2]).sort((a, b) => a.t - b.t);
  const seen = new Map();
  let duplicates = 0;
  for (const { key, offset } of rows) {
    if (!seen.has(key)) seen.set(key, new Set());
    if (seen.get(key).has(offset)) duplicates++;
    else seen.get(key).add(offset);
  }
  let holes = 0;
  for (const set of seen.values()) holes += Math.max(...set) + 1 - set.size;
  const log = cell.members.flatMap(({ log }) => log);
  return {
    librdkafka: cell.version,
    assignor: cell.assignor,
    membership: cell.isStatic ? 'static' : 'dynamic',
    settled: rows.length,
    duplicates,
    holes,
    hung_settled: hung.length,
    commit_errors: log.filter((line) => line.includes('commit_error')).length,
    lost: log.filter((line) => line.includes(' lost')).length,
    kill_restart_s: standstill(rows, at.restart, 10_000),
    kill_alone_s: standstill(rows, at.alone, 9_000),
    join_s: standstill(rows, at.join, 8_000),
    stop_s: standstill(rows, at.stop, 9_000),
  };
}

async function script(cell) {
  const [a, b] = (cell.members = ['A', 'B'].map((name) => new Member(cell, name)));
  const load = spawn(cell.loader, ['load', cell.kafka.brokers, String(RATE), '62', ...cell.topics]);
  const owns = (m, n) => m.log.filter((line) => line.includes('assigned')).length >= n;
  a.start();
  b.start();
  await waitFor('both own something', () => owns(a, 1) && owns(b, 1), { within: 30_000 });
  await pause(8_000);
  const at = {};
  at.restart = await a.end('SIGKILL');
  a.start();
  await pause(10_500);
  at.alone = await b.end('SIGKILL');
  await pause(9_500);
  at.join = Date.now();
  b.start();
  await pause(8_500);
  at.stop = await a.end('SIGTERM');
  await pause(9_500);
  await new Promise((resolve) => (load.exitCode !== null ? resolve() : load.once('exit', resolve)));
  await pause(3_000);
  await b.end('SIGTERM');
  return judge(cell, at);
}

const files = process.argv.length > 2 ? process.argv.slice(2) : [program('bench_member')];
const kafka = await Kafka.get({ own: true });
try {
  for (const file of files)
    for (const assignor of ['range', 'cooperative-sticky'])
      for (const isStatic of [false, true]) {
        const version = output(file, ['version']).trim();
        const name = `${version}-${assignor}-${isStatic ? 'static' : 'dynamic'}`;
        const topics = topicsOf(files[0], kafka, name);
        const cell = { file, loader: files[0], kafka, version, assignor, isStatic, name, topics };
        console.log(JSON.stringify(await script(cell)));
      }
} finally {
  await kafka.end();
}
