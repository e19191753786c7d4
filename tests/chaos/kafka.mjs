// One Kafka for all experiments, with a second listener that is announced under the port of a proxy of
// ours: who is sent there can be cut off from Kafka while the others are not.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Kafka } from '../support/kafka.mjs';
import { freePorts } from '../support/ports.mjs';
import { Proxy } from './proxy.mjs';

export class ChaosKafka extends Kafka {
  static async open() {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'esteira-kafka-'));
    const kafka = new ChaosKafka(dir, true);
    const [port, inner, outer] = await freePorts(3);
    fs.writeFileSync(path.join(dir, 'port'), `${port}\n`); // tools/kafka.sh takes the former port again
    process.env.KAFKA_OPTIONS = [
      `listeners=PLAINTEXT://127.0.0.1:${port},PROXIED://127.0.0.1:${inner},CONTROLLER://127.0.0.1:${port + 1}`,
      `advertised.listeners=PLAINTEXT://127.0.0.1:${port},PROXIED://127.0.0.1:${outer}`,
      'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT',
    ].join(' ');
    kafka.proxy = new Proxy(outer, inner);
    await kafka.proxy.open();
    await kafka.start();
    return kafka;
  }

  // As the shims see it who are behind the proxy.
  get proxied() {
    return `127.0.0.1:${this.proxy.port}`;
  }

  // Running and thawed, whatever an experiment left behind.
  async mend() {
    await this.thaw().catch(() => {});
    await this.start();
    await this.proxy.open();
  }

  async end() {
    this.proxy.close();
    await super.end();
  }
}
