// The whole belt on this machine, in one folder: Kafka, Redis, the dashboard, the shim and two consumers on free
// loopback ports. Ports and tokens are kept in the folder, so that a second run has the same addresses.

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Part, endProcess, get } from './part.mjs';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const BIN = process.env.ESTEIRA_BIN ?? path.join(ROOT, 'build/release/bin');
const CONFIG = path.join(ROOT, 'pipeline.yaml');

const run = promisify(execFile);

// Below the range from which the kernel takes ports for outgoing connections.
const FIRST_PORT = 18080;
const LAST_PORT = 19999;
export const PORTS = ['dashboard', 'ingest', 'shimOps', 'consumer1Ops', 'consumer2Ops', 'redis'];

const isFree = (port) =>
  new Promise((resolve) => {
    const server = net.createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

async function choosePorts(wanted) {
  const ports = {};
  let next = FIRST_PORT;
  for (const name of PORTS) {
    let port = wanted[name] ?? next;
    while (Object.values(ports).includes(port) || !(await isFree(port))) {
      port = next++;
      if (port > LAST_PORT) throw new Error(`no free port from ${FIRST_PORT} to ${LAST_PORT}`);
    }
    ports[name] = port;
  }
  return ports;
}

function secret(file) {
  if (!fs.existsSync(file)) fs.writeFileSync(file, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 });
  return fs.readFileSync(file, 'utf8').trim();
}

// "+PONG" once Redis answers; undefined before.
const ping = (port) =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.setTimeout(1000, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      if (bytes.toString().startsWith('+PONG')) resolve('+PONG');
      socket.destroy();
    });
    socket.on('close', () => resolve(undefined));
  });

const readJson = (file) => (fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {});

// What the caller's shell says about some other Esteira must not lead this one astray.
function cleanEnvironment() {
  const foreign = /^(ESTEIRA_|DASHBOARD_|REDIS_)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

export class Belt {
  constructor(dir) {
    this.dir = dir;
    fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.kafka = new KafkaPart(path.join(dir, 'kafka'));
  }

  // What an interrupted demo left running in this folder; returns how many it ended.
  async sweep() {
    let ended = 0;
    for (const name of fs.readdirSync(this.dir).filter((file) => file.endsWith('.pid'))) {
      if (name === 'demo.pid') continue;
      const file = path.join(this.dir, name);
      if (await endProcess(Number(fs.readFileSync(file, 'utf8')), this.dir)) ended++;
      fs.rmSync(file, { force: true });
    }
    return ended;
  }

  async prepare() {
    const file = path.join(this.dir, 'ports.json');
    this.ports = await choosePorts(readJson(file));
    fs.writeFileSync(file, JSON.stringify(this.ports, null, 2));
    this.token = secret(path.join(this.dir, 'token'));
    this.dashboardToken = secret(path.join(this.dir, 'dashboard.token'));
    fs.writeFileSync(path.join(this.dir, 'tokens'), `demo ${this.token}\n`, { mode: 0o600 });
    this.url = `http://127.0.0.1:${this.ports.ingest}`;
    this.dashboardUrl = `http://127.0.0.1:${this.ports.dashboard}`;
  }

  // onPart(part, seconds) is told of each part that is up.
  async start(onPart) {
    await this.timed(this.kafka, onPart);
    this.makeParts();
    await this.timed(this.redis, onPart);
    await this.applyTopics();
    await this.timed(this.dashboard, onPart);
    await this.timed(this.shim, onPart);
    await Promise.all(this.consumers.map((consumer) => this.timed(consumer, onPart)));
  }

  async timed(part, onPart) {
    const start = Date.now();
    await part.start();
    onPart(part, (Date.now() - start) / 1000);
  }

  environment() {
    return {
      ...cleanEnvironment(),
      ESTEIRA_KAFKA_BROKERS: this.kafka.brokers,
      ESTEIRA_PRODUCER_LISTEN: `127.0.0.1:${this.ports.ingest}`,
      ESTEIRA_PRODUCER_OPS_LISTEN: `127.0.0.1:${this.ports.shimOps}`,
      ESTEIRA_PRODUCER_TOKENS_FILE: path.join(this.dir, 'tokens'),
      ESTEIRA_DASHBOARD_LISTEN: `127.0.0.1:${this.ports.dashboard}`,
      ESTEIRA_DASHBOARD_DATABASE: path.join(this.dir, 'dashboard.db'),
      ESTEIRA_DASHBOARD_TOKEN_FILE: path.join(this.dir, 'dashboard.token'),
      ESTEIRA_DESTINATIONS_DASHBOARD_TOKEN_FILE: path.join(this.dir, 'dashboard.token'),
      ESTEIRA_DESTINATIONS_DASHBOARD_RETRY_MAX: '2s',
      ESTEIRA_REDIS_INSTANCE: 'demo',
      REDIS_URL: `redis://127.0.0.1:${this.ports.redis}`,
      DASHBOARD_URL: this.dashboardUrl,
    };
  }

  // Durable: each append is on the disk before it is answered.
  makeRedis(env) {
    const dir = path.join(this.dir, 'redis');
    fs.mkdirSync(dir, { recursive: true });
    const settings = { bind: '127.0.0.1', port: this.ports.redis, dir, save: '', appendonly: 'yes' };
    Object.assign(settings, { appendfsync: 'always', 'maxmemory-policy': 'noeviction' });
    return new Part({
      name: 'redis',
      file: 'redis-server',
      args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
      dir: this.dir,
      ready: () => ping(this.ports.redis),
      where: `redis://127.0.0.1:${this.ports.redis}`,
      env,
    });
  }

  makeParts() {
    const env = this.environment();
    const part = (name, program, port, more = {}) =>
      new Part({
        name,
        file: path.join(BIN, program),
        args: ['-c', CONFIG],
        dir: this.dir,
        ready: `http://127.0.0.1:${port}/readyz`,
        where: `http://127.0.0.1:${port}`,
        env: { ...env, ...more },
      });
    this.redis = this.makeRedis(env);
    this.dashboard = part('dashboard', 'esteira-dashboard', this.ports.dashboard);
    this.shim = part('shim', 'esteira-producer', this.ports.shimOps);
    this.consumers = [1, 2].map((n) => {
      const port = this.ports[`consumer${n}Ops`];
      return part(`consumer${n}`, 'esteira-consumer', port, {
        ESTEIRA_CONSUMER_OPS_LISTEN: `127.0.0.1:${port}`,
      });
    });
  }

  // Without them the first event of each type would wait for its topic to be made.
  async applyTopics() {
    await run(path.join(BIN, 'esteira'), ['topics', 'apply', '-c', CONFIG], {
      env: this.environment(),
      timeout: 60_000,
    });
  }

  get parts() {
    return [this.kafka, this.redis, this.dashboard, this.shim, ...(this.consumers ?? [])].filter(Boolean);
  }

  // The dashboard's own answer, or undefined while it is away.
  async askDashboard(route) {
    const text = await get(`${this.dashboardUrl}${route}`, {
      authorization: `Bearer ${this.dashboardToken}`,
    });
    return text;
  }

  // In the order of the flow, so that what is accepted still arrives.
  async stop() {
    await this.shim?.end();
    await Promise.all((this.consumers ?? []).map((consumer) => consumer.end()));
    await this.dashboard?.end();
    await this.redis?.end();
    await this.kafka.end();
  }
}

// Kafka by tools/kafka.sh, with the face of a Part.
class KafkaPart {
  name = 'kafka';

  constructor(dir) {
    this.dir = dir;
    this.log = path.join(dir, 'kafka.log');
  }

  async tool(verb) {
    const { stdout } = await run(path.join(ROOT, 'tools/kafka.sh'), [verb, this.dir], {
      env: { KAFKA_HEAP: '256m', ...process.env },
      timeout: 180_000,
    });
    return stdout.trim();
  }

  async start() {
    this.brokers = `127.0.0.1:${await this.tool('start')}`;
    this.where = this.brokers;
    this.running = true;
    this.since = Date.now();
  }

  async end(signal = 'SIGTERM') {
    await this.tool(signal === 'SIGKILL' ? 'kill' : 'stop');
    this.running = false;
    this.since = Date.now();
  }
}
