// What the keys of the demo do. One act at a time; each says what it does and what came of it.

import { setTimeout as pause } from 'node:timers/promises';
import { lastLines, until } from './part.mjs';
import { faultyOrder } from './samples.mjs';

const BURST = 10_000;
const BURST_BATCH = 500;
const CONSUMER_AWAY_MS = 10_000;
const DRAIN_PATIENCE_MS = 60_000;

export class Keys {
  // stage: {belt, sender, account, next, texts, number, say(line), quit()}
  constructor(stage) {
    Object.assign(this, stage);
    this.acts = {
      1: () => this.toggleKafka(),
      2: () => this.toggleDashboard(),
      3: () => this.killConsumer(),
      4: () => this.sendFaulty(),
      5: () => this.burst(),
      s: () => this.status(),
      l: () => this.logs(),
    };
  }

  async press(key) {
    if (key === 'q' || key === '\x03' || key === '\x04') return this.quit();
    const act = this.acts[key];
    if (!act) return undefined;
    if (this.busy) return this.say(this.texts.busy);
    this.busy = true;
    try {
      await act();
    } catch (err) {
      this.say(`▲ ${err.message}`);
    } finally {
      this.busy = false;
    }
    return undefined;
  }

  async toggleKafka() {
    const { kafka } = this.belt;
    if (kafka.running) {
      this.say(this.texts.kafkaStopping);
      await kafka.end();
    } else {
      this.say(this.texts.kafkaStarting);
      await kafka.start();
      await this.sayDrained();
    }
  }

  // What the buffer held, and how long it took to hand it over.
  async sayDrained() {
    const { account, number, texts } = this;
    const start = Date.now();
    const before = account.drained.total;
    const empty = await until(async () => {
      await account.look();
      return this.over || account.buffered === 0;
    }, DRAIN_PATIENCE_MS);
    const n = number.format(account.drained.total - before);
    const seconds = number.format(Math.round((Date.now() - start) / 100) / 10);
    if (empty && !this.over) this.say(`✓ ${texts.kafkaBack(n, seconds)}`);
    else if (!this.over) this.say(`▲ ${texts.drains(number.format(account.buffered))}`);
  }

  async toggleDashboard() {
    const { dashboard } = this.belt;
    if (dashboard.running) {
      await dashboard.end();
      this.say(`▲ ${this.texts.dashboardStopped}`);
    } else {
      await dashboard.start();
      this.say(`✓ ${this.texts.dashboardBack}`);
    }
  }

  // It comes back by itself while other keys can be pressed.
  async killConsumer() {
    const { consumers } = this.belt;
    if (!consumers.every((consumer) => consumer.running)) return this.say(this.texts.consumerBusy);
    this.victim = ((this.victim ?? -1) + 1) % consumers.length;
    const consumer = consumers[this.victim];
    const n = this.victim + 1;
    await this.account.look();
    await consumer.end('SIGKILL');
    this.say(`▲ ${this.texts.consumerKilled(n)}`);
    pause(CONSUMER_AWAY_MS)
      .then(() => this.over || consumer.start())
      .then(() => this.over || this.say(`✓ ${this.texts.consumerBack(n)}`))
      .catch((err) => this.say(`▲ ${err.message}`));
    return undefined;
  }

  async sendFaulty() {
    const order = faultyOrder();
    await this.sender.one(order);
    return this.say(this.texts.faultySent(order.payload.order_id));
  }

  async burst() {
    this.say(this.texts.burst(this.number.format(BURST)));
    const start = Date.now();
    for (let sent = 0; sent < BURST && !this.over; sent += BURST_BATCH) {
      await this.sender.batch(Array.from({ length: BURST_BATCH }, this.next));
    }
    const seconds = this.number.format(Math.round((Date.now() - start) / 100) / 10);
    this.say(this.texts.burstDone(this.number.format(BURST), seconds));
  }

  status() {
    const { texts } = this;
    for (const part of this.belt.parts) {
      const state = part.running ? texts.running : texts.stopped;
      this.say(texts.partState(texts.parts[part.name], state, part.where));
    }
  }

  logs() {
    for (const part of this.belt.parts) {
      this.say(`--- ${part.name}`);
      for (const line of lastLines(part.log, 4)) this.say(line.slice(0, 240));
    }
    this.say(this.texts.logsIn(this.belt.dir));
  }
}
