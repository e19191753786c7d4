// One reference dashboard for a test, in a folder of its own. Every answer is held against the contract:
// a status that the contract does not name for its operation fails the test.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Daemon } from '../support/daemon.mjs';
import { request } from '../support/http.mjs';
import { program } from '../support/paths.mjs';
import { freePorts } from '../support/ports.mjs';
import { readContract } from './openapi.mjs';

const contract = readContract();

export class Dashboard {
  // token: '' = none · shell: a command line before the program (ulimit …)
  static async start(t, { token = '', env = {}, shell = '', ready = true } = {}) {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'esteira-contract-'));
    const [port] = await freePorts(1);
    const d = new Dashboard();
    Object.assign(d, { dir, port, token, base: `http://127.0.0.1:${port}` });
    d.database = path.join(dir, 'dashboard.db');
    d.env = {
      PATH: process.env.PATH,
      ESTEIRA_DASHBOARD_LISTEN: `127.0.0.1:${port}`,
      ESTEIRA_DASHBOARD_DATABASE: d.database,
      ...(token ? { DASHBOARD_TOKEN: token } : {}),
      ...env,
    };
    d.daemon = new Daemon({ name: 'dashboard', dir, ops: port, ...d.command(shell), env: d.env });
    t.after(async () => {
      await d.daemon.end();
      fs.rmSync(dir, { recursive: true, force: true });
    });
    await d.daemon.start({ ready });
    return d;
  }

  command(shell) {
    const file = program('esteira-dashboard');
    return shell ? { file: '/bin/sh', args: ['-c', `${shell}; exec "${file}"`] } : { file, args: [] };
  }

  async call(method, route, { body, headers = {} } = {}) {
    const answer = await request(this.base, method, route, {
      body: typeof body === 'string' || body === undefined ? body : JSON.stringify(body),
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(this.token ? { authorization: `Bearer ${this.token}` } : {}),
        ...headers,
      },
    });
    const operation = `${method} ${route.replace(/\?.*/, '')}`;
    const named = contract.get(operation);
    if (named) assert.ok(named.has(answer.status), `${operation}: ${answer.status} is in no contract`);
    return answer;
  }

  event(event, headers) {
    return this.call('POST', '/api/v1/events', { body: event, headers });
  }

  batch(events, headers) {
    return this.call('POST', '/api/v1/events/batch', { body: { events }, headers });
  }

  async metrics() {
    return (await this.call('GET', '/api/v1/metrics')).json;
  }

  async status() {
    return (await this.call('GET', '/api/v1/status')).json;
  }

  // Recounts the stopped dashboard's database; throws when the kept numbers differ from what is stored.
  audit() {
    execFileSync(program('esteira-dashboard'), ['--audit'], { cwd: this.dir, env: this.env });
  }
}

export function assertProblem(answer, status, pointer) {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers['content-type'], /^application\/problem\+json/);
  assert.equal(answer.json.status, status);
  assert.ok(answer.json.title.length > 0);
  if (pointer !== undefined) {
    assert.equal(answer.json.errors[0].pointer, pointer);
    assert.match(answer.json.errors[0].code, /^E-[A-Z-]+$/);
  }
}
