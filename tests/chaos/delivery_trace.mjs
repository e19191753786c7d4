// `esteira trace` for events of every fate, beside a running stream, against the receiver's journal; and
// dead letters put back in great number.

import { execFile } from 'node:child_process';
import path from 'node:path';
import { ROOT } from '../support/paths.mjs';
import { waitFor } from '../support/wait.mjs';
import { onRig } from './delivery_rig.mjs';
import { round, verdict } from './verdict.mjs';

const TYPE = 'order_paid';
// Kafka is lost quickly, so that events go through the buffer.
const QUICK = { ESTEIRA_PRODUCER_ACK_TIMEOUT: '1s', ESTEIRA_KAFKA_MESSAGE_TIMEOUT: '2s' };

async function trace(rig, id) {
  const { code, out, err } = await rig.ask(['trace', id, '--json', '--since', '1h']);
  if (code !== 0) throw new Error(`trace ${id}: ${code} ${out} ${err}`);
  return JSON.parse(out).destinations.find(({ destination }) => destination === rig.destination);
}

// What a trace should say of each event of these loads: {id: {state, statuses}}.
async function journalOf(rig, fates) {
  const wanted = new Map();
  for (const { load, state } of fates) {
    for (const id of load.acceptedIds()) wanted.set(id, { state, statuses: [] });
    for (const { lane, n, status } of await rig.receiver.arrivals(load))
      wanted.get(`${load.tag}-${lane}-${n}`).statuses.push(status < 300 ? 'taken' : status);
  }
  return wanted;
}

const told = ({ status, outcome }) => (outcome === 'delivered' ? 'taken' : status);

// Asked until it says so, for the attempt log comes a moment behind; what it says at last counts.
async function compare(rig, wanted) {
  const wrong = [];
  for (const [id, { state, statuses }] of wanted) {
    let last;
    const right = async () => {
      last = await trace(rig, id);
      const same = JSON.stringify(last.attempts.map(told)) === JSON.stringify(statuses);
      return last.state === state && same;
    };
    await waitFor(id, right, { within: 10_000, every: 300 }).catch(() =>
      wrong.push({ id, state: last.state, wanted: state, attempts: last.attempts.map(told), statuses }),
    );
  }
  return wrong;
}

export const traced = ({ kafka, short }) =>
  onRig({ kafka, cut: true, env: QUICK, ...(short && { partitions: 2 }) }, async (rig) => {
    const count = short ? 2 : 20;
    const some = (tag) =>
      rig.load({ count, lanes: count, keys: 1, batch: 1, events: TYPE, tag, patience: 120 });
    const sent = async (tag) => {
      const load = some(tag);
      await load.done;
      return load;
    };
    await rig.warmUp(TYPE);
    await rig.receiver.script({
      rules: [
        { text: '"id":"repetido-', item: true, status: 503, times: 2 * count },
        { text: '"id":"veneno-', item: true, status: 422 },
        { text: '"id":"devolvido-', item: true, status: 422 },
      ],
    });
    const delivered = await sent('entregue');
    const retried = await sent('repetido');
    const again = await sent('devolvido');
    await rig.deadLettered(count);
    await rig.receiver.script({ rules: [{ text: '"id":"veneno-', item: true, status: 422 }] });
    const replay = await rig.ask(['dlq', 'replay', '--destination', rig.destination, '--yes']);
    const poison = await sent('veneno');
    await rig.kafkaAway();
    const buffered = some('reserva');
    await buffered.done;
    const inBuffer = [];
    for (const id of buffered.acceptedIds()) inBuffer.push((await traceAway(rig, id)).state);
    await rig.kafkaBack();
    await rig.direct();
    await rig.arrived(rig.loads, { dead: count });
    await rig.deadLettered(2 * count);
    const wanted = await journalOf(rig, [
      { load: delivered, state: 'delivered' },
      { load: retried, state: 'delivered' },
      { load: again, state: 'delivered' },
      { load: buffered, state: 'delivered' },
      { load: poison, state: 'dead_lettered' },
    ]);
    const wrong = await compare(rig, wanted);
    await rig.consumers[0].kill();
    await rig.consumers[0].start();
    const wrongAgain = await compare(rig, wanted);
    const figures = {
      faults: 2,
      ...(await rig.figures()),
      traced: wanted.size,
      in_buffer: inBuffer,
      wrong,
      wrong_after_restart: wrongAgain.length,
    };
    figures.lost += count; // those put back lie in the DLQ, too
    return verdict(figures, {
      'nothing lost': figures.lost === 0,
      'the replay went well': replay.code === 0,
      'buffered: told so while Kafka is away': inBuffer.every((state) => state === 'buffered'),
      'every trace agrees with the journal': wrong.length === 0,
      'also after the consumer has died': wrongAgain.length === 0,
    });
  });

// Kafka answers nobody behind the proxy: it is asked as the shim would.
async function traceAway(rig, id) {
  const away = { ESTEIRA_KAFKA_BROKERS: rig.proxy.address };
  const answer = await rig.ask(['trace', id, '--json', '--timeout', '2s'], away);
  return JSON.parse(answer.out).destinations.find(({ destination }) => destination === rig.destination);
}

// --- dead letters put back ---

// The scenario of the DLQ's test in its long form: it judges, and ends with its exit code.
export async function replayed({ kafka }) {
  const start = performance.now();
  const sizes = { ESTEIRA_TEST_DEAD_LETTERS: '100000', ESTEIRA_TEST_HOPS: '50' };
  const env = { ...process.env, ...sizes, ESTEIRA_TEST_KAFKA: kafka.dir };
  const names = 'killed in the middle|replayed over and over';
  const file = path.join(ROOT, 'tests/scenario/dlq.test.mjs');
  const args = ['--test', `--test-name-pattern=${names}`, file];
  const { code, out } = await new Promise((resolve) =>
    execFile(process.execPath, args, { env, maxBuffer: 1 << 26 }, (error, stdout) =>
      resolve({ code: error?.code ?? 0, out: stdout }),
    ),
  );
  const [, letters, before, after, twice] =
    /# (\d+) dead letters: (\d+) before the kill, (\d+) after, (\d+) twice/.exec(out) ?? [];
  const [, hops, least, most] = /# (\d+) replays: header bytes (\d+) to (\d+)/.exec(out) ?? [];
  const figures = {
    faults: 1,
    sent: Number(letters),
    accepted: Number(letters),
    delivered: Number(before) + Number(after),
    duplicates: Number(twice),
    replays: Number(hops),
    header_bytes: [Number(least), Number(most)],
    seconds: round((performance.now() - start) / 1000, 1),
    ...(code !== 0 && { said: out.slice(-4000) }),
  };
  return verdict(figures, {
    'the scenario passes': code === 0,
    'every one put back': figures.delivered === 100_000,
    'header size within 32 bytes over 50 replays': hops === '50' && most - least <= 32,
  });
}
