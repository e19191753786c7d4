// The sum that must hold: accepted = delivered + dead-lettered + on the way.
//
// Accepted is what the demo's own sender was promised, each event once however often it was repeated;
// delivered is what the dashboard has, each event once; the consumers say what they dead-lettered and how
// many records still lie before them. Events from elsewhere (a curl of yours) count from the moment that
// they lie in Kafka. What was promised and is neither delivered nor dead-lettered is on the way for as long
// as the consumers have records before them, and lost when they have none.

import fs from 'node:fs';
import path from 'node:path';
import { get } from './part.mjs';

// {name: sum over all label sets that contain `label`} of a Prometheus text.
export function sumOf(text, name, label = '') {
  let sum = 0;
  for (const line of text.split('\n')) {
    const match = /^([A-Za-z_:]+)(\{[^}]*\})? ([0-9.e+]+)$/.exec(line);
    if (match && match[1] === name && (match[2] ?? '').includes(label)) sum += Number(match[3]);
  }
  return sum;
}

// A counter that survives the restarts of its process.
class Counter {
  before = 0;
  now = 0;

  see(value) {
    if (value < this.now) this.before += this.now;
    this.now = value;
  }

  get total() {
    return this.before + this.now;
  }
}

export class Account {
  dead = [new Counter(), new Counter()];
  repeated = new Counter();
  drained = new Counter(); // handed over to Kafka by the buffer
  behind = 0;
  buffered = 0; // waits in Redis
  delivered = 0;
  dashboardKnown = false;

  constructor(belt, sender) {
    this.belt = belt;
    this.sender = sender;
    this.file = path.join(belt.dir, 'account.json');
    const kept = fs.existsSync(this.file) ? JSON.parse(fs.readFileSync(this.file, 'utf8')) : {};
    this.acceptedBefore = kept.accepted ?? 0;
    this.dead[0].before = kept.dead ?? 0;
  }

  async look() {
    await Promise.all([this.lookAtShim(), this.lookAtConsumers(), this.lookAtDashboard()]);
  }

  async lookAtShim() {
    const { shim } = this.belt;
    const text = shim.running ? await get(`${shim.where}/metrics`) : undefined;
    if (text === undefined) return;
    this.buffered = sumOf(text, 'dashboard_redis_queue_length');
    this.drained.see(sumOf(text, 'esteira_events_drained_total'));
  }

  async lookAtConsumers() {
    const of = (part) => (part.running ? get(`${part.where}/metrics`) : undefined);
    const texts = await Promise.all(this.belt.consumers.map(of));
    texts.forEach((text, i) => {
      if (text) this.dead[i].see(sumOf(text, 'esteira_events_dead_lettered_total'));
    });
    const known = texts.filter((text) => text !== undefined);
    this.behind = known.reduce((n, text) => n + sumOf(text, 'esteira_lag_records'), 0);
  }

  async lookAtDashboard() {
    const [status, metrics] = await Promise.all([
      this.belt.askDashboard('/api/v1/status'),
      this.belt.askDashboard('/metrics'),
    ]);
    this.dashboardKnown = status !== undefined;
    if (status) this.delivered = JSON.parse(status).events;
    if (metrics) {
      this.repeated.see(sumOf(metrics, 'esteira_dashboard_events_total', 'outcome="duplicate"'));
    }
  }

  get duplicates() {
    return this.repeated.total;
  }

  // {accepted, delivered, dead, waiting} since the folder was made.
  sum() {
    const { delivered, behind } = this;
    const dead = this.dead.reduce((n, counter) => n + counter.total, 0);
    const promised = this.acceptedBefore + this.sender.accepted;
    const waiting = Math.max(behind + this.buffered, promised - delivered - dead, 0);
    return { accepted: delivered + dead + waiting, delivered, dead, waiting };
  }

  keep() {
    const accepted = this.acceptedBefore + this.sender.accepted;
    const { dead } = this.sum();
    fs.writeFileSync(this.file, JSON.stringify({ accepted, dead }));
  }
}
