// One daemon under test: started, asked whether it is ready, stopped or killed by its pid.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { request } from './http.mjs';
import { waitFor, within } from './wait.mjs';

export class Daemon {
  // {name, file, args, env, ops (port), headers for its ops port, dir for its log}
  constructor(spec) {
    Object.assign(this, spec);
    this.log = path.join(this.dir, `${this.name}.log`);
    this.lives = 0;
  }

  // Every life appends to the same log.
  async start({ ready = true } = {}) {
    if (this.running) throw new Error(`${this.name} runs already`);
    const out = fs.openSync(this.log, 'a');
    this.child = spawn(this.file, this.args, {
      cwd: this.dir,
      env: this.env,
      stdio: ['ignore', out, out],
    });
    fs.closeSync(out);
    this.lives++;
    this.wanted = undefined; // the signal by which the test ends it
    this.exited = new Promise((resolve) => {
      this.child.on('error', (error) => resolve({ error }));
      this.child.on('exit', (code, signal) => resolve({ code, signal }));
    });
    const child = this.child;
    this.exited.then((how) => {
      if (this.child === child) this.how = how;
    });
    this.how = undefined;
    if (ready) await this.ready();
    return this;
  }

  get running() {
    return this.child !== undefined && this.how === undefined;
  }

  async ready({ within: ms = 20_000 } = {}) {
    await waitFor(
      () => `${this.name} ready; ${this.lastAnswer ?? ''} see ${this.log}`,
      async () => {
        if (this.how)
          throw new Error(`${this.name} ended with ${JSON.stringify(this.how)}: ${this.tail()}`);
        const answer = await this.get('/readyz').catch((err) => ({ status: 0, text: err.message }));
        this.lastAnswer = `${answer.status} ${answer.text}`;
        return answer.status === 200;
      },
      { within: ms },
    );
  }

  get(route) {
    const headers = { connection: 'close', ...this.headers };
    return request(`http://127.0.0.1:${this.ops}`, 'GET', route, { headers, timeout: 2000 });
  }

  signal(name) {
    if (!this.running)
      throw new Error(`${this.name} does not run: ${JSON.stringify(this.how)} ${this.tail()}`);
    this.wanted = name;
    this.child.kill(name);
  }

  // Not well: ended by itself, not with exit code 0 after SIGTERM, or complained of by a sanitizer or an
  // assertion of its own.
  check() {
    const ok = { SIGTERM: this.how?.code === 0, SIGKILL: true };
    if (this.how && !ok[this.wanted]) {
      throw new Error(`${this.name} ended: ${JSON.stringify(this.how)} ${this.tail()}`);
    }
    const fault = /^.*(Sanitizer:|runtime error:|"event":"panic").*$/m.exec(this.text());
    if (fault) throw new Error(`${this.name}: ${fault[0]}`);
  }

  // SIGKILL, and gone when it returns.
  async kill() {
    this.signal('SIGKILL');
    await within(5000, `${this.name} is gone after SIGKILL`, this.exited);
  }

  // SIGTERM; returns {code, signal, ms}.
  async stop({ within: ms = 15_000 } = {}) {
    const start = performance.now();
    this.signal('SIGTERM');
    const how = await within(ms, `${this.name} ends after SIGTERM; see ${this.log}`, this.exited);
    return { ...how, ms: performance.now() - start };
  }

  // For the end of a test: whatever state it is in.
  async end() {
    if (!this.running) return;
    this.wanted = 'SIGTERM';
    this.child.kill('SIGCONT');
    this.child.kill('SIGTERM');
    await within(12_000, 'end', this.exited).catch(() => this.child.kill('SIGKILL'));
    await this.exited;
  }

  text() {
    return fs.existsSync(this.log) ? fs.readFileSync(this.log, 'utf8') : '';
  }

  tail() {
    return this.text().split('\n').slice(-8).join('\n');
  }
}
