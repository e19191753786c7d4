// chaos_load as a child process: what it was told, and what it says of itself while it runs.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { program } from '../support/paths.mjs';
import { waitFor } from '../support/wait.mjs';

const MARK_SHIFT = 7919; // as in lane.h
let count = 0;

export class Load {
  // options: {port, rate, batch, lanes, keys, bytes, seconds, count, timeout, patience, mark, tag, events}
  constructor(dir, options) {
    this.tag = options.tag ?? `l${++count}`;
    this.keys = options.keys ?? 4;
    this.mark = options.mark ?? 0;
    this.file = path.join(dir, `load-${this.tag}`);
    const all = { keys: this.keys, ...options, tag: this.tag, out: this.file };
    const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)]);
    this.last = { sent: 0, accepted: 0 };
    this.child = spawn(program('chaos_load'), args, { stdio: ['ignore', 'pipe', 'inherit'] });
    readline.createInterface({ input: this.child.stdout }).on('line', (line) => {
      const now = JSON.parse(line);
      if (now.p99_worst_ms > (this.last.p99_worst_ms ?? 0)) this.worstAt = now.seconds;
      this.last = now;
    });
    this.done = new Promise((resolve, reject) => {
      this.child.on('error', reject);
      this.child.on('close', (code) =>
        code === 0 ? resolve(this.last) : reject(new Error(`chaos_load ended with ${code}`)),
      );
    });
    this.done.catch((err) => (this.failed = err));
  }

  accepted(n, { within = 30_000 } = {}) {
    return waitFor(
      () => `${this.last.accepted} of ${n} accepted`,
      () => {
        if (this.failed) throw this.failed;
        return this.last.accepted >= n;
      },
      { within },
    );
  }

  more(n, options) {
    return this.accepted(this.last.accepted + n, options);
  }

  // No new events; what is under way is repeated until accepted. Its last words.
  stop() {
    this.child.kill('SIGTERM');
    return this.done;
  }

  kill() {
    if (this.child.exitCode === null) this.child.kill('SIGKILL');
  }

  // Once ended: how many events of each lane were answered 202.
  acceptedOfLanes() {
    const [, ...lanes] = fs.readFileSync(this.file, 'utf8').trim().split('\n');
    return lanes.map((line) => Number(line.split(' ')[0]));
  }

  // Once ended: every id that was answered 202.
  acceptedIds() {
    return this.acceptedOfLanes().flatMap((count, lane) =>
      Array.from({ length: count }, (_, n) => `${this.tag}-${lane}-${n}`),
    );
  }

  // How many of them carry the mark (lane.c).
  marked() {
    if (this.mark === 0) return 0;
    const below = (n) => Math.ceil(n / this.mark); // multiples of it in [0, n)
    return this.acceptedOfLanes()
      .map((count, lane) => below(lane * MARK_SHIFT + count) - below(lane * MARK_SHIFT))
      .reduce((sum, n) => sum + n, 0);
  }
}
