// One hot, stuck, hanging or missing part, and whether the others feel it.

import { pause, waitFor } from '../support/wait.mjs';
import { onRig, settingsOf } from './delivery_rig.mjs';
import { Receiver } from './receiver.mjs';
import { promises, round, verdict } from './verdict.mjs';

// In short other tests run beside it: only a part that waits for the other is noticed.
const STALLED_MS = 1000;

const few = (short) => (short ? { partitions: 2 } : {});
const rateOf = ({ n, seconds }) => n / seconds;

// A backlog that the consumer finds when it comes: its receiver answers after 20 ms, so that the pace is
// the same however busy the machine is.
async function backlog(rig, load) {
  const [consumer] = rig.consumers;
  if (consumer.running) await consumer.stop();
  const loads = load.map((options) => rig.load({ batch: 500, lanes: 8, patience: 300, ...options }));
  await Promise.all(loads.map(({ done }) => done));
  await consumer.start();
  return loads;
}

// All events of one key are refused for the time being while those of 2,000 others wait beside it.
export const stuckKey = ({ kafka, short }) =>
  onRig({ kafka, ...few(short), destination: { retry_max: '1s', on_exhausted: 'hold' } }, async (rig) => {
    const many = { count: short ? 20_000 : 200_000, keys: 250, bytes: 300, events: 'order_update' };
    const stuck = { count: 500, lanes: 1, keys: 1, events: 'order_update', tag: 'preso' };
    const slow = { delay_ms: 20 };
    await rig.warmUp('order_update');
    await rig.receiver.script({ rules: [slow] });
    const clean = await backlog(rig, [{ ...many, tag: 'clean' }]);
    await rig.arrived();
    await rig.receiver.script({
      rules: [{ text: '"stream":"preso-0-k0"', item: true, status: 503 }, slow],
    });
    const beside = await backlog(rig, [stuck, { ...many, tag: 'beside' }]);
    await rig.arrived([...clean, ...beside], { dead: stuck.count });
    await rig.receiver.script({});
    await rig.arrived();
    const figures = { faults: 1, ...(await rig.figures()) };
    const share = rateOf(figures.loads.beside) / rateOf(figures.loads.clean);
    figures.throughput_share = round(share);
    return verdict(figures, {
      ...promises(figures),
      'nothing twice': figures.duplicates === 0,
      'throughput above 90 %': share > (short ? 0.5 : 0.9),
    });
  });

// The endpoint of one type does not answer for 30 s, again and again; the others go on as before.
export const hangingType = ({ kafka, short }) =>
  onRig({ kafka, ...few(short) }, async (rig) => {
    const seconds = short ? 4 : 60;
    const shape = { rate: 400, batch: 4, lanes: 40, seconds };
    const side = { rate: 40, batch: 1, lanes: 10, seconds };
    await rig.warmUp('order_update,payment_update');
    await Promise.all([
      rig.load({ ...shape, events: 'order_created', tag: 'clean' }).done,
      rig.load({ ...side, events: 'payment_created', tag: 'cleanside' }).done,
    ]);
    await rig.arrived();
    await rig.receiver.script({
      rules: [{ text: '"event":"payment_received"', status: 503, delay_ms: 30_000 }],
    });
    const hanging = rig.load({ ...side, events: 'payment_received', tag: 'hanging' });
    await rig.load({ ...shape, events: 'order_paid', tag: 'beside' }).done;
    await hanging.done;
    await rig.arrived(rig.loads, { dead: hanging.last.accepted });
    await rig.receiver.script({});
    await rig.arrived(rig.loads, { within: 90_000 });
    const figures = { faults: 1, ...(await rig.figures()) };
    const [clean, beside] = ['order_created', 'order_paid'].map((name) => figures.delays[name]);
    return verdict(figures, {
      ...promises(figures),
      ...(!short && { 'p99 of the other types below 1.2 times': beside.p99_ms < 1.2 * clean.p99_ms }),
      ...(short && { 'the other types do not wait for it': beside.p99_ms < STALLED_MS }),
    });
  });

// Each answer takes a minute, and the timeout allows it.
const SLOW = {
  destination: { timeout: '90000' },
  env: { ESTEIRA_CONSUMER_DRAIN_TIMEOUT: '90s' },
};

export const slowAnswers = ({ kafka, short }) =>
  onRig({ kafka, consumers: 2, ...few(short), ...SLOW }, async (rig) => {
    await rig.warmUp('order_update,new_message');
    const joined = assignments(rig);
    await rig.receiver.script({ rules: [{ delay_ms: short ? 8000 : 60_000 }] });
    const load = rig.load({ count: 400, batch: 10, lanes: 20, events: 'order_update,new_message' });
    await load.done;
    await rig.arrived(rig.loads, { within: 300_000 });
    await waitFor(
      'the last answers',
      async () => (await rig.metricOf('esteira_requests_in_flight')) === 0,
      { within: 120_000, every: 100 },
    );
    const figures = {
      faults: 1,
      ...(await rig.figures()),
      group_changes: assignments(rig) - joined,
    };
    return verdict(figures, {
      ...promises(figures),
      'nothing twice': figures.duplicates === 0,
      'nobody left the group': figures.group_changes === 0,
    });
  });

const assignments = (rig) =>
  rig.consumers.reduce(
    (sum, consumer) => sum + consumer.text().split('"event":"assigned"').length - 1,
    0,
  );

// Two destinations, of which one goes away: the other does not notice.
export const twoDestinations = ({ kafka, short }) =>
  onRig(
    {
      kafka,
      ...few(short),
      others: ['outro'],
    },
    async (rig) => {
      const other = await new Receiver().start(rig.dir, 'other');
      try {
        return await besideAnother(rig, other, short);
      } finally {
        await other.stop();
      }
    },
  );

async function besideAnother(rig, other, short) {
  const seconds = short ? 3 : 60;
  const shape = { rate: 400, batch: 4, lanes: 40, seconds };
  const second = await rig.anotherConsumer(settingsOf('outro', { url: other.url }));
  second.args = [...second.args, '--destination', 'outro'];
  await second.start();
  await rig.warmUp('order_update');
  await rig.load({ ...shape, events: 'order_created', tag: 'clean' }).done;
  await Promise.all([rig.arrived(), rig.arrived(rig.loads, { receiver: other })]);
  await rig.receiver.script({ down: true });
  await rig.load({ ...shape, events: 'order_paid', tag: 'beside' }).done;
  await rig.arrived(rig.loads, { receiver: other });
  await rig.receiver.script({});
  await rig.arrived(rig.loads, { within: 90_000 });
  const figures = { faults: 1, ...(await rig.figures()) };
  const unhurt = await other.sum(rig.loads);
  const [clean, beside] = ['order_created', 'order_paid'].map((name) => unhurt.delays[name]);
  return verdict(
    { ...figures, other: { lost: unhurt.lost, clean, beside } },
    {
      ...promises(figures),
      'nothing lost at the other': unhurt.lost === 0 && unhurt.inversions === 0,
      'nothing twice at the other': unhurt.duplicates === 0,
      ...(!short && { 'p99 of the other below 1.2 times': beside.p99_ms < 1.2 * clean.p99_ms }),
      ...(short && { 'the other does not wait for it': beside.p99_ms < STALLED_MS }),
    },
  );
}

// --- settings of types ---

const WAYS = {
  ESTEIRA_TYPES_CUSTOM_TIMEOUT: '400ms',
  ESTEIRA_TYPES_CUSTOM_RETRIES: '2',
  ESTEIRA_TYPES_ORDER_TIMEOUT: '3s',
  ESTEIRA_TYPES_ORDER_RETRIES: '4',
};

// Seconds from the first try of a load's only event to each of the others.
async function triesOf(rig, load) {
  const at = (await rig.receiver.arrivals(load)).map(({ at_us }) => at_us / 1e6);
  return at.slice(1).map((one) => round(one - at[0]));
}

const within = (list, seconds) => list.filter((at) => at < seconds).length + 1;

// Answers after a second: too late for the one type and not for the other. And a refused event of each:
// two quick tries at 0 and 0.5 s, four at 0, 0.5, 1.5 and 3 s.
export const perTypeSettings = ({ kafka, short }) =>
  onRig(
    { kafka, ...few(short), env: WAYS, destination: { retry_initial: '500ms', retry_max: '60s' } },
    async (rig) => {
      const one = (tag, events) => rig.load({ count: 1, lanes: 1, keys: 1, batch: 1, tag, events });
      await rig.warmUp('order_update,coisa_nova');
      await rig.receiver.script({
        rules: [
          { text: '"id":"lenta-', delay_ms: 1000, times: 1 },
          { text: '"id":"lento-', delay_ms: 1000, times: 1 },
          { text: '"id":"dois-', item: true, status: 409 },
          { text: '"id":"quatro-', item: true, status: 409 },
        ],
      });
      const slow = [one('lenta', 'coisa_nova'), one('lento', 'order_update')];
      await Promise.all(slow.map(({ done }) => done));
      await rig.arrived(rig.loads);
      await pause(1500); // the second try of the late one
      const refused = [one('dois', 'coisa_nova'), one('quatro', 'order_update')];
      await Promise.all(refused.map(({ done }) => done));
      await pause(6000);
      const tries = {
        custom_late: await triesOf(rig, slow[0]),
        order_late: await triesOf(rig, slow[1]),
        custom_refused: await triesOf(rig, refused[0]),
        order_refused: await triesOf(rig, refused[1]),
      };
      await rig.receiver.script({});
      await rig.arrived(rig.loads, { within: 90_000 });
      const figures = { faults: 4, ...(await rig.figures()), tries_s: tries };
      return verdict(figures, {
        ...promises(figures),
        'a second is too late for custom': tries.custom_late.length === 1,
        'and in time for order': tries.order_late.length === 0,
        'custom: two quick tries': within(tries.custom_refused, 1.4) === 2,
        'order: four quick tries': within(tries.order_refused, 3.5) === 4,
      });
    },
  );
