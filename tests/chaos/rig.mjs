// The belt under experiment: shims (each with a name, ports and settings of its own), Redis, Kafka, and
// where wanted a consumer with a journal sink behind it. Kafka is lent by the runner, the rest is the
// rig's own and ends with it.

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Belt } from '../support/belt.mjs';
import { ROOT, program } from '../support/paths.mjs';
import { freePorts } from '../support/ports.mjs';
import { Redis } from '../support/redis.mjs';
import { Sink } from '../support/sink.mjs';
import { recordCounts } from '../support/topics.mjs';
import { waitFor } from '../support/wait.mjs';
import { Load } from './load.mjs';

const run = promisify(execFile);
const TOKEN = 'token-only-for-chaos';
const TYPES = ['message', 'message_status', 'order', 'payment', 'user', 'session', 'interaction'];

// A lease that runs out within a test; the other timeouts have to be short against it.
export const LEASE_MS = 2000;
export const SHORT_LEASE = {
  ESTEIRA_REDIS_LEASE: `${LEASE_MS}ms`,
  ESTEIRA_REDIS_TIMEOUT: '500ms',
  ESTEIRA_REDIS_WAIT_TIMEOUT: '200ms',
  ESTEIRA_KAFKA_MESSAGE_TIMEOUT: '1s',
  ESTEIRA_PRODUCER_ACK_TIMEOUT: '600ms',
};

// What the tests' processes need of ours, and nothing else.
const inherited = () =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) =>
      /^(PATH|HOME|TZ|[AU]+BSAN_.*|ASAN_.*)$/.test(name),
    ),
  );

export class Rig extends Belt {
  shims = [];
  consumers = [];
  loads = [];
  prefix = `c${randomBytes(4).toString('hex')}.`;

  // kafka: a running one · shims: how many · cut: names of shims behind the proxy, or true = all ·
  // consumer: how many, with a sink (true = 1) · redis: settings, or an object that is like Redis · env: of every part ·
  // partitions: of each type · prefix: of topics that are there already
  // What has been started ends again when the rest does not start.
  async open(options) {
    await this.prepare(options).catch(async (err) => {
      await this.end({ keep: true });
      throw err;
    });
    return this;
  }

  async prepare({
    kafka,
    shims = 1,
    consumer = false,
    redis = {},
    cut = [],
    env = {},
    partitions = 8,
    prefix,
  }) {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'esteira-chaos-'));
    this.kafka = kafka;
    const fresh = prefix === undefined;
    this.prefix = prefix ?? this.prefix;
    this.redis = redis?.url ? redis : await new Redis(path.join(this.dir, 'redis'), redis).start();
    if (consumer) await this.openSink();
    this.environment(env, partitions);
    this.cut = cut === true ? ['shim-1', 'shim-2'] : cut;
    if (this.cut.length > 0) this.proxy = await kafka.takeProxy();
    for (let i = 0; i < shims; i++) await this.addShim(`shim-${i + 1}`);
    const ops = await freePorts(Number(consumer));
    for (let i = 0; i < Number(consumer); i++) this.addConsumer(`consumer-${i + 1}`, ops[i]);
    if (fresh) await this.esteira('topics', 'apply', '-c', this.config);
    await Promise.all(this.daemons.map((daemon) => daemon.start({ ready: false })));
    // a fresh Kafka takes its time for the first group, and others may start beside
    await Promise.all(this.daemons.map((daemon) => daemon.ready({ within: 60_000 })));
  }

  environment(env, partitions) {
    this.config = path.join(ROOT, 'pipeline.yaml');
    this.env = {
      ...inherited(),
      ESTEIRA_KAFKA_BROKERS: this.kafka.brokers,
      ESTEIRA_KAFKA_TOPIC_PREFIX: this.prefix,
      ...Object.fromEntries(
        [...TYPES, 'bot_error', 'custom'].map((type) => [
          `ESTEIRA_TYPES_${type.toUpperCase()}_PARTITIONS`,
          String(partitions),
        ]),
      ),
      ESTEIRA_DESTINATIONS_DASHBOARD_RETRY_INITIAL: '50ms',
      ESTEIRA_DESTINATIONS_DASHBOARD_RETRY_MAX: '500ms',
      DASHBOARD_TOKEN: TOKEN,
      DASHBOARD_URL: this.sink?.url ?? 'http://127.0.0.1:9',
      REDIS_URL: this.redis.url,
      ...env,
    };
  }

  async addShim(instance) {
    const [port, ops] = await freePorts(2);
    const behindProxy = this.cut.includes(instance);
    const shim = this.daemon(instance, 'esteira-producer', ops, {
      ESTEIRA_PRODUCER_LISTEN: `127.0.0.1:${port}`,
      ESTEIRA_PRODUCER_OPS_LISTEN: `127.0.0.1:${ops}`,
      ESTEIRA_REDIS_INSTANCE: instance,
      ...(behindProxy && { ESTEIRA_KAFKA_BROKERS: this.proxy.address }),
    });
    shim.port = port;
    this.shims.push(shim);
    return shim;
  }

  // What receives the events.
  async openSink() {
    this.sink = await new Sink({ token: TOKEN }).start();
  }

  addConsumer(name, ops, env = {}) {
    const consumer = this.daemon(name, 'esteira-consumer', ops, {
      ESTEIRA_CONSUMER_OPS_LISTEN: `127.0.0.1:${ops}`,
      ...env,
    });
    this.consumers.push(consumer);
    return consumer;
  }

  // options: as of chaos_load, without --port and --out.
  load(options, shim = this.shims[0]) {
    const load = new Load(this.dir, { port: shim.port, ...options });
    this.loads.push(load);
    return load;
  }

  // Kafka is dead to those shims that can be cut off; with none of them it is dead indeed.
  async kafkaAway() {
    if (this.proxy) this.proxy.close();
    else await this.kafka.kill();
  }

  async kafkaBack() {
    if (this.proxy) await this.proxy.open();
    else await this.kafka.start();
  }

  // --- what the parts say ---

  // The sum over the family's series; NaN when the shim does not answer.
  async metric(name, shim = this.shims[0]) {
    const { text } = await shim.get('/metrics').catch(() => ({}));
    if (text === undefined) return NaN;
    const rows = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? ([\\d.e+-]+)$`, 'gm'))];
    return rows.reduce((sum, [, n]) => sum + Number(n), 0);
  }

  async isDirect(shim) {
    return (await this.metric('esteira_buffer_state', shim)) === 0;
  }

  // Every living shim is direct; returns the seconds since `since`.
  async direct({ within = 30_000, since = performance.now() } = {}) {
    const alive = this.shims.filter((shim) => shim.running);
    await waitFor(
      `direct again; logs in ${this.dir}`,
      async () => {
        for (const shim of alive) if (!(await this.isDirect(shim))) return false;
        return true;
      },
      { within, every: 50 },
    );
    return (performance.now() - since) / 1000;
  }

  emptied({ within = 30_000 } = {}) {
    return waitFor(
      `the buffer is empty; logs in ${this.dir}`,
      async () => (await this.redis.buffered().catch(() => 1)) === 0,
      { within, every: 100 },
    );
  }

  // Log lines of all lives of all shims: a metric does not outlive its process.
  logged(event) {
    return this.shims.flatMap((shim) =>
      shim
        .text()
        .split('\n')
        .filter((line) => line.includes(`"event":"${event}"`))
        .map((line) => JSON.parse(line)),
    );
  }

  missing() {
    return this.logged('buffer_entries_lost').reduce((sum, { count }) => sum + Number(count), 0);
  }

  handovers() {
    return this.logged('boot_adopted').filter(({ from }) => from === 'another instance').length;
  }

  async records() {
    const counts = await recordCounts(this.kafka.brokers, this.prefix);
    return Object.values(counts).reduce((sum, n) => sum + n, 0);
  }

  // What lies in Kafka against what the loads (all of them ended) were promised.
  async topics(loads = this.loads) {
    const args = [this.kafka.brokers, this.prefix, ...loads.map((load) => load.file)];
    const { stdout } = await run(program('chaos_check'), args, { timeout: 300_000 });
    return JSON.parse(stdout);
  }

  // Waits until everything that was accepted is at the sink.
  async delivered({ within = 60_000, loads = this.loads } = {}) {
    const ids = loads.flatMap((load) => load.acceptedIds());
    await waitFor(
      () => `${ids.filter((id) => !this.sink.seen.has(id)).length} more delivered; see ${this.dir}`,
      () => ids.every((id) => this.sink.seen.has(id)),
      { within, every: 50 },
    );
  }

  // --- the end ---

  // keep: the folder with the logs stays.
  async end({ keep = false } = {}) {
    for (const load of this.loads) load.kill();
    await this.endDaemons();
    if (this.proxy) this.kafka.giveProxy(this.proxy);
    await this.sink?.stop();
    await this.redis?.end();
    this.clear(keep);
  }
}
