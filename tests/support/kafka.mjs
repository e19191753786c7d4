// A real Kafka for tests. By ESTEIRA_TEST_KAFKA (a folder) one is shared by all tests of a run; else, or
// when asked for one of its own, the test starts and stops its own.

import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './paths.mjs';

const run = promisify(execFile);
const TOOL = path.join(ROOT, 'tools/kafka.sh');

export class Kafka {
  constructor(dir, owned) {
    this.dir = dir;
    this.owned = owned;
  }

  static async get({ own = false } = {}) {
    const shared = own ? undefined : process.env.ESTEIRA_TEST_KAFKA;
    const dir = shared ?? fs.mkdtempSync(path.join(os.tmpdir(), 'esteira-kafka-'));
    const kafka = new Kafka(dir, shared === undefined);
    await kafka.start();
    return kafka;
  }

  async tool(verb) {
    return (await run(TOOL, [verb, this.dir], { timeout: 120_000 })).stdout.trim();
  }

  async start() {
    this.port = Number(await this.tool('start'));
    this.brokers = `127.0.0.1:${this.port}`;
  }

  kill() {
    return this.tool('kill');
  }

  freeze() {
    return this.tool('freeze');
  }

  thaw() {
    return this.tool('thaw');
  }

  // Only what the test itself started.
  async end() {
    if (!this.owned) return;
    await this.tool('stop');
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}
