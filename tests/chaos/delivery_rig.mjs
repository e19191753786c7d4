// The belt under experiment with chaos_receiver at its end, and as many consumers as wanted.

import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from '../support/paths.mjs';
import { freePorts } from '../support/ports.mjs';
import { waitFor } from '../support/wait.mjs';
import { Receiver } from './receiver.mjs';
import { Rig } from './rig.mjs';
import { together } from './verdict.mjs';

export const TOKEN = 'token-velho';

// {retries: 3, batch_count: 600} of a destination as environment.
export const settingsOf = (name, settings) =>
  Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [
      `ESTEIRA_DESTINATIONS_${name.toUpperCase()}_${key.toUpperCase()}`,
      String(value),
    ]),
  );

export class DeliveryRig extends Rig {
  // Its destination and so its group are the rig's own: members of other rigs are no business of its.
  destination = `d${this.prefix.slice(1, -1)}`;

  // As Rig.open; consumers: how many · destination: its settings · others: names of further destinations ·
  // types: {type: {key: value}} of their settings
  static open({ consumers = 1, destination = {}, others = [], ...options }) {
    const rig = new DeliveryRig();
    Object.assign(rig, { settings: destination, others });
    return rig.open({ consumer: consumers, ...options });
  }

  async openSink() {
    this.sink = this.receiver = await new Receiver().start(this.dir);
    this.tokenFile = path.join(this.dir, 'token');
    this.writeToken(TOKEN);
  }

  // As operators do: written beside it, then moved over it.
  writeToken(token) {
    fs.writeFileSync(`${this.tokenFile}.new`, `${token}\n`);
    fs.renameSync(`${this.tokenFile}.new`, this.tokenFile);
  }

  environment(env, partitions) {
    const name = this.destination;
    super.environment(env, partitions);
    for (const key of Object.keys(this.env))
      if (/^(ESTEIRA_DESTINATIONS_)?DASHBOARD_/.test(key)) delete this.env[key];
    Object.assign(this.env, settingsOf(name, { ...this.usual(), ...this.settings }));
    this.writeConfig();
  }

  usual() {
    return {
      url: this.receiver.url,
      token_file: this.tokenFile,
      retry_initial: '50ms',
      retry_max: '500ms',
    };
  }

  // A pipeline.yaml of the rig's own, for the names of destinations; the schemas are found beside it.
  writeConfig() {
    const names = [this.destination, ...this.others].map((name) => `  ${name}:\n    url: http://127.0.0.1:9\n`);
    const [head, tail] = fs.readFileSync(this.config, 'utf8').split(/^destinations:\n(?: .*\n|\n)+/m);
    this.config = path.join(this.dir, 'pipeline.yaml');
    fs.writeFileSync(this.config, `${head}destinations:\n${names.join('')}\n${tail}`);
    fs.symlinkSync(path.join(ROOT, 'schemas'), path.join(this.dir, 'schemas'));
  }

  get group() {
    return `${this.prefix}${this.destination}`;
  }

  // The shim answers by itself however long Kafka takes: a sender that repeats what is still under way would
  // have its events twice, and that would not be delivery's doing.
  load(options, shim) {
    return super.load({ timeout: 60_000, ...options }, shim);
  }

  // One consumer more, which is not started yet.
  async anotherConsumer(env) {
    const [ops] = await freePorts(1);
    return this.addConsumer(`consumer-${this.consumers.length + 1}`, ops, env);
  }

  // The first records of new topics wait for Kafka to open them, and the group for its members.
  async warmUp(events, count = 200) {
    const load = this.load({ count, lanes: 20, batch: 5, events, tag: `warm${this.loads.length}` });
    await load.done;
    await this.arrived([load]);
  }

  // Waits until the receiver has taken all that was accepted, but for `dead` events.
  async arrived(loads = this.loads, { dead = 0, within = 60_000, receiver = this.receiver } = {}) {
    const before = this.loads.filter((load) => !loads.includes(load));
    const wanted = [...loads, ...before].reduce((sum, load) => sum + load.last.accepted, 0) - dead;
    let now;
    await waitFor(
      () => `${wanted - now?.distinct} more delivered; see ${this.dir}`,
      async () => {
        this.verify(); // the dead deliver nothing more
        return (now = await receiver.counts()).distinct >= wanted;
      },
      { within, every: 50 },
    );
    return now;
  }

  deadLettered(n, { within = 30_000 } = {}) {
    let now;
    return waitFor(
      () => `${now} of ${n} dead letters; see ${this.dir}`,
      async () => (now = await this.deadLetters()) >= n,
      { within, every: 250 },
    );
  }

  // The common figures of the loads (all ended), counted at the receiver.
  async figures(loads = this.loads, { receiver = this.receiver } = {}) {
    const sum = await receiver.sum(loads);
    const dlq = await this.deadLetters();
    return {
      ...together(loads.map((load) => load.last)),
      ...sum,
      dlq,
      lost: sum.lost - dlq,
      counted_at: 'receiver',
    };
  }

  // What `esteira status` tells of the destination, and of the buffer.
  async status() {
    const { code, out, err } = await this.ask(['status', '--json', '--destination', this.destination]);
    if (code !== 0 && code !== 1) throw new Error(`status: ${code} ${out} ${err}`);
    const { destinations, buffer } = JSON.parse(out);
    return { ...destinations[0], buffer };
  }

  async atRest() {
    let now;
    await waitFor(
      () => `at rest; ${JSON.stringify({ ...now, types: undefined })} see ${this.dir}`,
      async () => {
        now = await this.status();
        return now.pending === 0 && now.buffer.entries === 0 && now.lag === 0;
      },
      { within: 60_000, every: 200 },
    );
    return now;
  }

  metricOf(name, daemons = this.consumers) {
    return Promise.all(daemons.filter((d) => d.running).map((d) => this.metric(name, d))).then(
      (all) => all.reduce((sum, n) => sum + n, 0),
    );
  }
}

// Kafka may be slow here without the shim keeping events in Redis meanwhile: what is handed over later can
// come twice, and that would not be delivery's doing.
const PATIENT = {
  ESTEIRA_PRODUCER_ACK_TIMEOUT: '15s',
  ESTEIRA_KAFKA_MESSAGE_TIMEOUT: '20s',
  ESTEIRA_PRODUCER_DRAIN_TIMEOUT: '20s',
  ESTEIRA_REDIS_LEASE: '60s',
};

// What `esteira status` says at rest belongs to every experiment: nothing is missing (but what the
// experiment has taken away), and every accepted event is known.
function accounted(line, rest, missing) {
  const failed = [...(line.failed ?? [])];
  if (rest.missing !== missing) failed.push(`status: missing ${missing}`);
  if (line.repeats === 0 && rest.accepted !== line.accepted)
    failed.push('status: as many accepted as the senders say');
  const { accepted, delivered, dlq, expired, repeated } = rest;
  const told = { accepted, delivered, dlq, expired, repeated };
  const all = { ...line, missing: rest.missing, pass: failed.length === 0, status: told };
  return failed.length > 0 ? { ...all, failed } : all;
}

// Runs body(rig) and ends the rig, whose folder stays when the experiment did not pass. missing: how many
// events it takes away.
export async function onRig({ env, missing = 0, ...options }, body) {
  const rig = await DeliveryRig.open({ ...options, env: { ...PATIENT, ...env } });
  let passed = false;
  try {
    const line = accounted(await body(rig), await rig.atRest(), missing);
    rig.verify();
    passed = line.pass;
    return line;
  } finally {
    await rig.end({ keep: !passed });
  }
}
