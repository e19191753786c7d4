// One process of the demo: started in a session of its own, so that Ctrl-C reaches only the demo itself;
// known by its pid and by STATE_VARIABLE in its environment, so that no other process is ever signalled.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export const STATE_VARIABLE = 'DEMO_STATE_DIR';

// Polls until `question` answers something true; undefined at the deadline.
export async function until(question, ms) {
  const end = Date.now() + ms;
  for (;;) {
    const answer = await question();
    if (answer || Date.now() > end) return answer || undefined;
    await pause(100);
  }
}

// Is that process one that a demo in this folder started?
export function isOurs(pid, dir) {
  try {
    return fs.readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`${STATE_VARIABLE}=${dir}`);
  } catch {
    return false;
  }
}

export async function endProcess(pid, dir) {
  if (!isOurs(pid, dir)) return false;
  process.kill(pid, 'SIGTERM');
  const gone = await until(() => !isOurs(pid, dir), 15_000);
  if (!gone && isOurs(pid, dir)) process.kill(pid, 'SIGKILL');
  return true;
}

// The text of an answer; undefined when there is none or it is no 200.
export async function get(url, headers = {}) {
  try {
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(2000) });
    const text = await answer.text();
    return answer.ok ? text : undefined;
  } catch {
    return undefined;
  }
}

export const lastLines = (file, n) =>
  fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trimEnd().split('\n').slice(-n) : [];

export class Part {
  // {name, file, args, env, dir, ready: url that answers 200, or a question of its own}
  constructor(spec) {
    Object.assign(this, spec);
    this.log = path.join(this.dir, `${this.name}.log`);
    this.pidFile = path.join(this.dir, `${this.name}.pid`);
  }

  get running() {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  async start() {
    const out = fs.openSync(this.log, 'a');
    this.child = spawn(this.file, this.args, {
      cwd: this.dir,
      env: { ...this.env, [STATE_VARIABLE]: this.dir },
      stdio: ['ignore', out, out],
      detached: true,
    });
    fs.closeSync(out);
    this.child.on('error', () => {});
    if (this.child.pid) fs.writeFileSync(this.pidFile, `${this.child.pid}\n`);
    const ask = typeof this.ready === 'function' ? this.ready : () => get(this.ready);
    await until(async () => !this.running || (await ask()) !== undefined, 30_000);
    this.since = Date.now();
    if (!this.running) throw new PartFailed(this);
    return this;
  }

  async end(signal = 'SIGTERM') {
    if (!this.running) return;
    this.child.kill(signal);
    if (!(await until(() => !this.running, 15_000))) {
      this.child.kill('SIGKILL');
      await until(() => !this.running, 5000);
    }
    fs.rmSync(this.pidFile, { force: true });
    this.since = Date.now();
  }
}

export class PartFailed extends Error {
  constructor(part) {
    super(`${part.name} did not start`);
    this.part = part;
  }
}
