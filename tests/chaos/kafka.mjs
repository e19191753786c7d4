// One Kafka for all experiments, with further listeners that are announced under the ports of proxies of
// ours: who is sent there can be cut off from Kafka while the others are not. One proxy for each rig that
// runs at the same time.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Kafka } from '../support/kafka.mjs';
import { freePorts } from '../support/ports.mjs';
import { Proxy } from './proxy.mjs';

export const PROXIES = 4;

// server.properties as tools/kafka.sh takes it: listeners beside its own two.
function listeners(port, pairs) {
  const local = (name, at) => `${name}://127.0.0.1:${at}`;
  const names = pairs.map((_, i) => `CUT${i}`);
  const own = [local('PLAINTEXT', port)];
  const inner = pairs.map(([at], i) => local(names[i], at));
  const outer = pairs.map(([, at], i) => local(names[i], at));
  const plain = ['PLAINTEXT', 'CONTROLLER', ...names].map((name) => `${name}:PLAINTEXT`);
  return [
    `listeners=${[...own, ...inner, local('CONTROLLER', port + 1)]}`,
    `advertised.listeners=${[...own, ...outer]}`,
    `listener.security.protocol.map=${plain}`,
  ].join(' ');
}

export class ChaosKafka extends Kafka {
  // heap: of the JVM, e.g. 1g; else as tools/kafka.sh has it.
  static async open({ heap } = {}) {
    if (heap) process.env.KAFKA_HEAP ??= heap;
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'esteira-kafka-'));
    const kafka = new ChaosKafka(dir, true);
    const [port, ...rest] = await freePorts(1 + 2 * PROXIES);
    const pairs = Array.from({ length: PROXIES }, (_, i) => rest.slice(2 * i, 2 * i + 2));
    fs.writeFileSync(path.join(dir, 'port'), `${port}\n`); // tools/kafka.sh takes the former port again
    process.env.KAFKA_OPTIONS = listeners(port, pairs);
    kafka.proxies = pairs.map(([inner, outer]) => new Proxy(outer, inner));
    kafka.free = [...kafka.proxies];
    await kafka.start();
    return kafka;
  }

  // An open proxy that is nobody else's until it is given back.
  async takeProxy() {
    const proxy = this.free.pop();
    await proxy.open();
    return proxy;
  }

  giveProxy(proxy) {
    proxy.close();
    this.free.push(proxy);
  }

  // Running and thawed, whatever an experiment left behind.
  async mend() {
    await this.thaw().catch(() => {});
    await this.start();
  }

  async end() {
    for (const proxy of this.proxies) proxy.close();
    await super.end();
  }
}
