// The whole belt on real parts, for one test: Kafka, the shim, consumers, and at the end a journal sink or
// the reference dashboard. Everything on free loopback ports, in one folder; ends only what it started.
//
//   scenario('two consumers share the work', { consumers: 2 }, async (belt) => {
//     await postEvent(belt.url, …);
//     await belt.delivered(publisher.accepted);
//   });

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { account, print } from './account.mjs';
import { Belt } from './belt.mjs';
import { request } from './http.mjs';
import { Kafka } from './kafka.mjs';
import { ROOT } from './paths.mjs';
import { freePorts } from './ports.mjs';
import { Redis } from './redis.mjs';
import { Sink } from './sink.mjs';
import { recordCounts, records } from './topics.mjs';
import { waitFor } from './wait.mjs';

const TOKEN = 'token-velho'; // of the dashboard

// Nothing of the caller's configuration leaks into a test.
function cleanEnvironment() {
  const foreign =
    /^(ESTEIRA_(?!BIN$|TEST_)|DASHBOARD_|REDIS_|HTTPS?_PROXY$|https?_proxy$|ALL_PROXY$|all_proxy$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

// One test on a belt of its own. The folder with its logs is kept when the test fails.
export function scenario(name, options, body) {
  test(name, { timeout: options.timeout ?? 240_000 }, async (t) => {
    const belt = new Pipeline();
    let passed = false;
    try {
      await belt.start(options);
      await body(belt, t);
      await belt.endDaemons();
      belt.verify();
      passed = true;
    } finally {
      await belt.end(passed);
    }
  });
}

export class Pipeline extends Belt {
  prefix = `t${randomBytes(4).toString('hex')}.`;

  // consumers: how many · dashboard: true = the real one instead of the sink ·
  // ownKafka: one that the test may kill · redis: true, or settings of its redis.conf · env: more settings
  // for all parts · start: false = only prepare
  async start({
    consumers = 1,
    dashboard = false,
    ownKafka = false,
    redis = false,
    env = {},
    start = true,
  }) {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'esteira-test-'));
    this.kafka = await Kafka.get({ own: ownKafka });
    if (redis)
      this.redis = await new Redis(path.join(this.dir, 'redis'), redis === true ? {} : redis).start();
    const [ingest, ops, panel, ...rest] = await freePorts(3 + consumers);
    this.port = ingest;
    this.url = `http://127.0.0.1:${ingest}`;
    this.socket = path.join(this.dir, 'shim.sock');
    this.tokenFile = path.join(this.dir, 'dashboard.token');
    fs.writeFileSync(this.tokenFile, `${TOKEN}\n`);
    if (!dashboard) this.sink = await new Sink({ token: TOKEN }).start();
    this.environment({ panel, env });
    this.build({ ops, panel, consumers: rest, dashboard });
    await this.esteira('topics', 'apply', '-c', this.config);
    if (start) await Promise.all(this.daemons.map((daemon) => daemon.start()));
  }

  environment({ panel, env }) {
    this.config = path.join(ROOT, 'pipeline.yaml');
    this.env = {
      ...cleanEnvironment(),
      ESTEIRA_KAFKA_BROKERS: this.kafka.brokers,
      ESTEIRA_KAFKA_TOPIC_PREFIX: this.prefix,
      ESTEIRA_PRODUCER_ACK_TIMEOUT: '4s', // topics made a moment ago, on a loaded machine
      ESTEIRA_PRODUCER_LISTEN: `127.0.0.1:${this.port},unix:${this.socket}`,
      ESTEIRA_DASHBOARD_DATABASE: path.join(this.dir, 'dashboard.db'),
      ESTEIRA_DESTINATIONS_DASHBOARD_RETRY_INITIAL: '50ms',
      ESTEIRA_DESTINATIONS_DASHBOARD_RETRY_MAX: '500ms',
      ESTEIRA_DESTINATIONS_DASHBOARD_TOKEN_FILE: this.tokenFile,
      ESTEIRA_DASHBOARD_TOKEN_FILE: this.tokenFile,
      // Without a Redis of its own a test must not find one that the machine happens to run.
      REDIS_URL: this.redis?.url ?? `unix://${path.join(this.dir, 'no-redis.sock')}`,
      ESTEIRA_REDIS_INSTANCE: 'shim-1',
      DASHBOARD_URL: this.sink?.url ?? `http://127.0.0.1:${panel}`,
      ...env,
    };
  }

  build({ ops, panel, consumers, dashboard }) {
    if (dashboard) {
      const listen = { ESTEIRA_DASHBOARD_LISTEN: `127.0.0.1:${panel}` };
      this.dashboard = this.daemon('dashboard', 'esteira-dashboard', panel, listen);
      this.dashboard.headers = { authorization: `Bearer ${TOKEN}` };
    }
    this.shim = this.daemon('shim', 'esteira-producer', ops, {
      ESTEIRA_PRODUCER_OPS_LISTEN: `127.0.0.1:${ops}`,
    });
    this.consumers = consumers.map((port, i) =>
      this.daemon(`consumer-${i + 1}`, 'esteira-consumer', port, {
        ESTEIRA_CONSUMER_OPS_LISTEN: `127.0.0.1:${port}`,
      }),
    );
  }

  // What `esteira status --json` says of a destination; {} when it cannot tell.
  async status(destination = 'dashboard') {
    const { out } = await this.ask(['status', '--json']);
    const answer = out.trim() === '' ? {} : JSON.parse(out);
    return answer.destinations?.find((d) => d.destination === destination) ?? {};
  }

  // The account at rest: everything that was accepted is settled, nothing missing, nothing expired.
  async conserved({ within = 40_000, destination } = {}) {
    let last;
    await waitFor(
      () => `at rest: ${JSON.stringify({ ...last, types: undefined })}; logs in ${this.dir}`,
      async () => {
        last = await this.status(destination);
        return last.pending === 0;
      },
      { within, every: 300 },
    );
    assert.deepEqual([last.missing, last.expired, last.ok], [0, 0, true], JSON.stringify(last));
    return last;
  }

  // Asks the dashboard itself; null while it does not answer.
  async askDashboard(route) {
    const headers = { connection: 'close', authorization: `Bearer ${TOKEN}` };
    const answer = await request(this.env.DASHBOARD_URL, 'GET', route, { headers }).catch(
      () => null,
    );
    return answer?.status === 200 ? answer.json : null;
  }

  topic(type) {
    return `${this.prefix}${type}`;
  }

  deadLetterTopic(type) {
    return `dlq.dashboard.${this.topic(type)}`;
  }

  // {topic: records} of this test's topics.
  counts() {
    return recordCounts(this.kafka.brokers, this.prefix);
  }

  records(topic) {
    return records(this.kafka.brokers, topic);
  }

  // Waits until everything accepted is at the sink; nothing lost, order per stream kept.
  async delivered(accepted, { within = 60_000 } = {}) {
    await waitFor(
      () => `all delivered: ${print(account(accepted, this.sink.journal))}; logs in ${this.dir}`,
      () => accepted.every((event) => this.sink.seen.has(event.id)),
      { within, every: 50 },
    );
    const sum = account(accepted, this.sink.journal);
    assert.equal(sum.lost, 0, print(sum));
    assert.equal(sum.disordered, 0, print(sum));
    return sum;
  }

  async end(passed) {
    await this.endDaemons();
    await this.sink?.stop();
    await this.redis?.end();
    await this.kafka?.end();
    this.clear(!passed);
  }
}
