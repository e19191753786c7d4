// One project of docker compose under test: a copy of what a user has (compose files, pipeline.yaml,
// deploy/), with secrets and ports of its own, on the engine that DOCKER_HOST names.

import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Load } from '../chaos/load.mjs';
import { request } from '../support/http.mjs';
import { ROOT, program } from '../support/paths.mjs';
import { freePorts } from '../support/ports.mjs';
import { waitFor } from '../support/wait.mjs';

const run = promisify(execFile);
const FILES = ['docker-compose.yml', 'docker-compose.ha.yml', '.env.example', 'pipeline.yaml', 'deploy'];
// Not the name in docker-compose.yml: a belt that people use may run on the same engine.
const PROJECT = 'esteira-test';
export const NETWORK = `${PROJECT}_default`;
const BOTS = 6; // tokens, so that both shims get some

export class Stack {
  loads = [];
  env = {};

  // dir: an empty folder · ha: with docker-compose.ha.yml · env: more lines of .env
  constructor(dir, { ha = false, env = {} } = {}) {
    this.dir = dir;
    this.ha = ha;
    this.env = { COMPOSE_PROJECT_NAME: PROJECT, ...(ha && { COMPOSE_FILE: 'docker-compose.yml:docker-compose.ha.yml' }), ...env };
  }

  async prepare() {
    for (const file of FILES) {
      fs.cpSync(path.join(ROOT, file), path.join(this.dir, file), { recursive: true });
    }
    await this.exec('deploy/setup');
    const names = ['BOTS_PORT', 'PAGE_PORT', 'BOTS_TLS_PORT', 'PAGE_TLS_PORT'];
    const ports = await freePorts(names.length);
    names.forEach((name, i) => (this.env[name] = ports[i]));
    this.tokens = Array.from({ length: BOTS }, (_, i) => `token-of-bot-number-${i}-${'x'.repeat(20)}`);
    const lines = this.tokens.map((token, i) => `bot-${i} ${token}\n`);
    fs.writeFileSync(path.join(this.dir, 'secrets/bot_tokens'), lines.join(''));
    this.set({});
    return this;
  }

  // Lines of .env; they count from the next command on.
  set(env) {
    Object.assign(this.env, env);
    const lines = Object.entries(this.env).map(([name, value]) => `${name}=${value}\n`);
    fs.writeFileSync(path.join(this.dir, '.env'), lines.join(''));
  }

  secret(name) {
    return fs.readFileSync(path.join(this.dir, 'secrets', name), 'utf8').trim();
  }

  // Killed after `timeout` ms: a docker that waits in vain does not always end when it is only asked to.
  async exec(file, args = [], { timeout = 180_000, env = {} } = {}) {
    const how = { timeout, killSignal: 'SIGKILL', maxBuffer: 1 << 26 };
    return (await run(file, args, { cwd: this.dir, env: { ...process.env, ...env }, ...how })).stdout;
  }

  docker(...args) {
    return this.exec('docker', args);
  }

  compose(...args) {
    return this.exec('docker', ['compose', ...args]);
  }

  // Seconds until everything is healthy.
  async up(...args) {
    const start = performance.now();
    const up = ['compose', 'up', '-d', '--wait', '--quiet-pull', ...args];
    await this.exec('docker', up, { timeout: 300_000 });
    return (performance.now() - start) / 1000;
  }

  // What is left of the project: containers, volumes, networks.
  async down() {
    await this.compose('down', '-v', '--remove-orphans', '-t', '20');
    const filter = ['-q', '--filter', `label=com.docker.compose.project=${PROJECT}`];
    const left = [['ps', '-a'], ['volume', 'ls'], ['network', 'ls']];
    const found = await Promise.all(left.map((what) => this.docker(...what, ...filter)));
    return found.join('').split('\n').filter(Boolean).length;
  }

  async containers(service) {
    return (await this.compose('ps', '-q', service)).split('\n').filter(Boolean);
  }

  async container(service) {
    return (await this.containers(service))[0];
  }

  async inspect(container, format) {
    return (await this.docker('inspect', '-f', format, container)).trim();
  }

  // Every service that has a health check, with the state of its containers.
  async unhealthy() {
    const lines = await this.compose('ps', '-a', '--format', '{{.Service}} {{.State}} {{.Health}}');
    return lines.split('\n').filter((line) => line && !/ healthy$|^topics exited/.test(line));
  }

  // Seconds.
  async healthy({ within = 180_000 } = {}) {
    const start = performance.now();
    let bad = [];
    await waitFor(
      () => `healthy: ${bad.join(', ')}`,
      async () => {
        bad = await this.unhealthy();
        return bad.length === 0;
      },
      { within, every: 300 },
    );
    return (performance.now() - start) / 1000;
  }

  // The death of a process, which the restart policy has to answer; `docker kill` would count as wanted.
  async killProcess(container) {
    process.kill(Number(await this.inspect(container, '{{.State.Pid}}')), 'SIGKILL');
  }

  async memory() {
    const format = '{{.Name}} {{.CPUPerc}} {{.MemUsage}}';
    const lines = (await this.docker('stats', '--no-stream', '--format', format)).split('\n');
    return Object.fromEntries(
      lines.filter(Boolean).map((line) => {
        const [name, cpu, used] = line.split(' ');
        return [name.replace(`${PROJECT}-`, ''), `${used} ${cpu}`];
      }),
    );
  }

  // --- bots and what became of their events ---

  load(options, bot = 0) {
    const token = this.tokens[bot];
    const load = new Load(this.dir, { port: this.env.BOTS_PORT, token, timeout: 10_000, ...options });
    this.loads.push(load);
    return load;
  }

  // The same rate from several bots.
  bots(n, options) {
    return Array.from({ length: n }, (_, bot) => this.load(options, bot));
  }

  async page(route) {
    const headers = { authorization: `Bearer ${this.secret('dashboard_token')}` };
    return request(`http://127.0.0.1:${this.env.PAGE_PORT}`, 'GET', route, { headers });
  }

  // Different events that the dashboard has.
  async shown() {
    const answer = await this.page('/api/v1/status').catch(() => ({}));
    return answer.json?.events ?? -1;
  }

  async waitShown(n, { within = 120_000 } = {}) {
    let now;
    await waitFor(() => `${now} of ${n} on the page`, async () => (now = await this.shown()) >= n, {
      within,
      every: 200,
    });
    return now;
  }

  // What lies in Kafka against what all bots so far were promised, read inside the project's network.
  async topics() {
    return { ...(await this.read('esteira.')), dlq: (await this.read('dlq.')).records };
  }

  async read(prefix) {
    const files = this.loads.map((load) => `/loads/${path.basename(load.file)}`);
    const brokers = this.ha ? 'kafka:9092,kafka-2:9092,kafka-3:9092' : 'kafka:9092';
    const mounts = ['-v', `${program('chaos_check')}:/chaos_check:ro`, '-v', `${this.dir}:/loads:ro`];
    const how = ['run', '--rm', '--network', NETWORK, '--user', '0', ...mounts];
    const command = ['esteira:local', '/chaos_check', brokers, prefix, ...files];
    return JSON.parse(await this.docker(...how, ...command));
  }

  async logged(services, event) {
    const lines = (await this.compose('logs', '--no-log-prefix', ...services)).split('\n');
    return lines.filter((line) => line.includes(`"event":"${event}"`));
  }

  async missing() {
    const lines = await this.logged(['shim', ...(this.ha ? ['shim-2'] : [])], 'buffer_entries_lost');
    return lines.length;
  }

  async end() {
    for (const load of this.loads) load.kill();
    await this.down().catch(() => {});
  }
}
