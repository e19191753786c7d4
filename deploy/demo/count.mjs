// The sum that must hold: accepted = delivered + dead-lettered + on the way. Read from the parts' metrics.
// A process that was killed counts from 0 again, so what its earlier lives had counted is added; the
// dashboard's count is of its database. The sums are kept in the folder and go on with the next run.

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
  accepted = new Counter();
  dead = [new Counter(), new Counter()];
  duplicates = 0;
  delivered = 0;
  dashboardKnown = false;

  constructor(belt) {
    this.belt = belt;
    this.file = path.join(belt.dir, 'account.json');
    const kept = fs.existsSync(this.file) ? JSON.parse(fs.readFileSync(this.file, 'utf8')) : {};
    this.accepted.before = kept.accepted ?? 0;
    this.dead[0].before = kept.dead ?? 0;
  }

  async look() {
    const { shim, consumers } = this.belt;
    const of = (part) => (part.running ? get(`${part.where}/metrics`) : undefined);
    const [shimText, ...consumerTexts] = await Promise.all([of(shim), ...consumers.map(of)]);
    if (shimText) this.accepted.see(sumOf(shimText, 'esteira_events_accepted_total'));
    consumerTexts.forEach((text, i) => {
      if (text) this.dead[i].see(sumOf(text, 'esteira_events_dead_lettered_total'));
    });
    await this.lookAtDashboard();
  }

  async lookAtDashboard() {
    const [status, metrics] = await Promise.all([
      this.belt.askDashboard('/api/v1/status'),
      this.belt.askDashboard('/metrics'),
    ]);
    this.dashboardKnown = status !== undefined;
    if (status) this.delivered = JSON.parse(status).events;
    if (metrics) {
      this.duplicates = sumOf(metrics, 'esteira_dashboard_events_total', 'outcome="duplicate"');
    }
  }

  // {accepted, delivered, dead, waiting} since the folder was made.
  sum() {
    const { delivered } = this;
    const dead = this.dead.reduce((n, counter) => n + counter.total, 0);
    const accepted = Math.max(this.accepted.total, delivered + dead);
    return { accepted, delivered, dead, waiting: accepted - delivered - dead };
  }

  keep() {
    const { accepted, dead } = this.sum();
    fs.writeFileSync(this.file, JSON.stringify({ accepted, dead }));
  }
}
