// chaos_receiver as a child process: the dashboard of an experiment, what it is told, and what a judge
// makes of its journal.

import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { request } from '../support/http.mjs';
import { program } from '../support/paths.mjs';
import { freePorts } from '../support/ports.mjs';
import { waitFor, within } from '../support/wait.mjs';

const run = promisify(execFile);

export class Receiver {
  async start(dir, name = 'receiver') {
    const [port, control] = await freePorts(2);
    this.url = `http://127.0.0.1:${port}`;
    this.control = `http://127.0.0.1:${control}`;
    this.journal = path.join(dir, `${name}.journal`);
    const out = fs.openSync(path.join(dir, `${name}.log`), 'a');
    this.child = spawn(program('chaos_receiver'), [String(port), String(control), this.journal], {
      stdio: ['ignore', out, out],
    });
    fs.closeSync(out);
    this.exited = new Promise((resolve) => this.child.on('exit', resolve).on('error', resolve));
    await waitFor('the receiver answers', () => this.counts().catch(() => null));
    return this;
  }

  // How to behave from now on, instead of before (receiver_script.h).
  async script(script) {
    const answer = await request(this.control, 'PUT', '/script', { body: JSON.stringify(script) });
    if (answer.status !== 200) throw new Error(`the receiver: ${answer.status} ${answer.text}`);
    return answer.json;
  }

  // {requests, events, distinct, repeats, mono_us, statuses}
  async counts() {
    return (await request(this.control, 'GET', '/counts', { timeout: 20_000 })).json;
  }

  failed({ statuses }) {
    return Object.entries(statuses)
      .filter(([status]) => Number(status) >= 400)
      .reduce((sum, [, n]) => sum + n, 0);
  }

  async judge(verb, ...args) {
    await this.counts(); // it has written everything down when it answers
    const options = { timeout: 300_000, maxBuffer: 1 << 30 };
    return (await run(program('chaos_judge'), [verb, this.journal, ...args], options)).stdout;
  }

  async sum(loads) {
    return JSON.parse(await this.judge('sum', ...loads.map((load) => load.file)));
  }

  async lines(verb, ...args) {
    const text = await this.judge(verb, ...args);
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  // [{seq, at_us, answered_us, until_us, status, route, token, events (a number, or ids if withIds)}]
  requests({ withIds = false } = {}) {
    return this.lines('requests', ...(withIds ? ['ids'] : []));
  }

  // Each arrival of each event of a load: [{lane, n, at_us, status, delay_ms, event}]
  arrivals(load) {
    return this.lines('events', load.tag);
  }

  async stop() {
    if (!this.child || this.child.exitCode !== null) return;
    this.child.kill('SIGTERM');
    await within(10_000, 'the receiver ends', this.exited).catch(() => this.child.kill('SIGKILL'));
  }
}
