// A real redis-server of a test's own, and as much of its protocol (RESP2) as tests ask with.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { freePorts } from './ports.mjs';
import { waitFor, within } from './wait.mjs';

// [value, rest of the bytes], or null while the answer is not complete.
function parse(bytes) {
  const end = bytes.indexOf('\r\n');
  if (end < 0) return null;
  const line = bytes.toString('utf8', 1, end);
  const rest = bytes.subarray(end + 2);
  const kind = String.fromCharCode(bytes[0]);
  if (kind === '+') return [line, rest];
  if (kind === '-') return [new Error(line), rest];
  if (kind === ':') return [Number(line), rest];
  const n = Number(line);
  if (kind === '$') {
    if (n < 0) return [null, rest];
    if (rest.length < n + 2) return null;
    return [rest.toString('utf8', 0, n), rest.subarray(n + 2)];
  }
  return parseItems(n, rest);
}

function parseItems(n, bytes) {
  const items = [];
  let rest = bytes;
  for (let i = 0; i < n; i++) {
    const one = parse(rest);
    if (one === null) return null;
    items.push(one[0]);
    rest = one[1];
  }
  return [items, rest];
}

// Data survive a kill.
const SHIPPED = {
  appendonly: 'yes',
  appendfsync: 'always',
  'auto-aof-rewrite-min-size': '1gb',
  save: '""',
};

export class Redis {
  // settings: {name: value} of redis.conf, beside those that we ship (deploy/compose/redis.sh).
  constructor(dir, settings = {}) {
    this.dir = dir;
    this.settings = { ...SHIPPED, ...settings };
  }

  async start() {
    this.port ??= (await freePorts(1))[0];
    this.url = `redis://127.0.0.1:${this.port}`;
    fs.mkdirSync(this.dir, { recursive: true });
    const conf = { bind: '127.0.0.1', port: this.port, dir: this.dir, ...this.settings };
    const file = path.join(this.dir, 'redis.conf');
    const lines = Object.entries(conf).map(([name, value]) => `${name} ${value}`);
    fs.writeFileSync(file, `${lines.join('\n')}\n`);
    await this.launch(file);
    return this;
  }

  async launch(file, ...flags) {
    const out = fs.openSync(path.join(this.dir, 'redis.log'), 'a');
    this.child = spawn('redis-server', [file, ...flags], { stdio: ['ignore', out, out] });
    fs.closeSync(out);
    this.exited = new Promise((resolve) => {
      this.child.on('exit', resolve);
      this.child.on('error', resolve);
    });
    await waitFor(
      `redis-server answers; see ${this.dir}`,
      async () => (await this.ask('PING').catch(() => null)) === 'PONG',
      { within: 20_000 },
    );
  }

  // One command, one connection.
  ask(...args) {
    return new Promise((resolve, reject) => {
      const socket = net.connect(this.port, '127.0.0.1');
      let bytes = Buffer.alloc(0);
      socket.setTimeout(5000, () => socket.destroy(new Error('no answer from Redis')));
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('closed by Redis')));
      socket.on('data', (chunk) => {
        bytes = Buffer.concat([bytes, chunk]);
        const answer = parse(bytes);
        if (answer === null) return;
        socket.destroy();
        if (answer[0] instanceof Error) reject(answer[0]);
        else resolve(answer[0]);
      });
      const parts = args.map((arg) => `$${Buffer.byteLength(String(arg))}\r\n${arg}\r\n`);
      socket.write(`*${args.length}\r\n${parts.join('')}`);
    });
  }

  // Entries in all streams of the buffer.
  async buffered() {
    const keys = await this.ask('KEYS', '{esteira:buf:*}:*');
    let sum = 0;
    for (const key of keys)
      if ((await this.ask('TYPE', key)) === 'stream') sum += await this.ask('XLEN', key);
    return sum;
  }

  async kill() {
    this.child.kill('SIGKILL');
    await within(5000, 'redis-server is gone', this.exited);
  }

  freeze() {
    this.child.kill('SIGSTOP');
  }

  thaw() {
    this.child.kill('SIGCONT');
  }

  // Everything that it holds is gone, as after a lost volume.
  wipe() {
    for (const name of ['appendonlydir', 'dump.rdb', 'appendonly.aof'])
      fs.rmSync(path.join(this.dir, name), { recursive: true, force: true });
  }

  async end() {
    if (!this.child) return;
    this.child.kill('SIGCONT');
    this.child.kill('SIGTERM');
    await within(10_000, 'redis-server ends', this.exited).catch(() => this.child.kill('SIGKILL'));
  }
}
