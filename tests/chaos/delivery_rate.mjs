// A receiver that says how much it takes and when, and whether it is obeyed: by all replicas together.

import { pause, waitFor } from '../support/wait.mjs';
import { onRig, settingsOf } from './delivery_rig.mjs';
import { promises, round, verdict } from './verdict.mjs';

const few = (short) => (short ? { partitions: 3 } : {});
const US = 1e6;
const GRACE_US = 250_000; // what was under way when the answer was given

// --- Retry-After ---

// Requests that began inside a window that an answer had forbidden. An answer that was given while the
// grace of the first one ran belongs to the same window.
export function disobedient(requests) {
  const orders = requests.filter(({ until_us }) => until_us > 0);
  const inside = ({ at_us }) =>
    orders.some((o) => at_us > o.answered_us + GRACE_US && at_us < o.until_us);
  return requests.filter(inside);
}

// One answer 429 in mid-stream, with a time to wait; then the receiver takes everything again.
async function askForPatience(rig, script, seconds) {
  const before = (await rig.receiver.counts()).requests;
  await rig.receiver.script({
    rules: [{ status: 429, retry_after_s: seconds, times: 1, ...script }],
  });
  await waitFor('a request', async () => (await rig.receiver.counts()).requests > before);
  await pause((seconds + 2) * 1000);
}

export const retryAfter = ({ kafka, short }) =>
  onRig({ kafka, consumers: 2, ...few(short) }, async (rig) => {
    const seconds = short ? 4 : 30;
    await rig.warmUp('order_update,new_message');
    const load = rig.load({ rate: 500, batch: 5, lanes: 40, events: 'order_update,new_message' });
    await load.accepted(500);
    await askForPatience(rig, {}, seconds);
    await load.more(500);
    await askForPatience(rig, { as_date: true }, seconds);
    await load.more(500);
    await load.stop();
    await rig.arrived();
    const requests = await rig.receiver.requests();
    const figures = {
      faults: requests.filter(({ status }) => status === 429).length,
      ...(await rig.figures()),
      disobedient: disobedient(requests).length,
    };
    return verdict(figures, {
      ...promises(figures),
      'nothing twice': figures.duplicates === 0,
      'it was asked for patience twice': figures.faults === 2,
      'no request while it was asked to wait': figures.disobedient === 0,
    });
  });

// --- the budget ---

// Requests by status within whole windows of the receiver, the first of which begins with the first
// request, and the last one, in which the backlog may have ended, left out.
export function windows(requests, length_us) {
  const start = requests[0].at_us;
  const whole = Math.floor((requests.at(-1).at_us - start) / length_us);
  const inside = requests.filter(({ at_us }) => at_us < start + whole * length_us);
  const of = (test) => inside.filter(test);
  return {
    windows: whole,
    taken: of(({ status }) => status < 300).length,
    refused: of(({ status }) => status === 429).length,
    events: of(({ status }) => status < 300).reduce((sum, { events }) => sum + events, 0),
  };
}

// `told`: what the consumers are told of the limit beforehand; else they learn it from the answers.
async function budgetOf({ kafka, short }, told) {
  const [limit, length] = short ? [10, 3] : [100, 60]; // requests, seconds
  const minutes = short ? 0.2 : 3;
  const options = {
    kafka,
    consumers: 3,
    ...few(short),
    destination: { batch_count: 600, batch_count_max: 600, ...told(limit, length) },
  };
  return onRig(options, async (rig) => {
    await rig.receiver.script({ limit: { requests: limit, window_ms: length * 1000 } });
    const count = short ? 30_000 : 300_000;
    const load = rig.load({ count, batch: 500, lanes: 16, keys: 64, bytes: 300, patience: 300 });
    await load.done;
    await pause(minutes * 60_000);
    const sum = windows(await rig.receiver.requests(), length * US);
    await drain(rig);
    const figures = { faults: 0, ...(await rig.figures()), ...sum };
    const used = sum.taken / (sum.windows * limit);
    const perMinute = (sum.events / (sum.windows * length)) * 60;
    const refused = sum.refused / (sum.taken + sum.refused);
    return verdict(
      {
        ...figures,
        budget_used: round(used, 3),
        refused_share: round(refused, 4),
        events_per_minute: round(perMinute, 0),
      },
      {
        ...promises(figures),
        'nothing twice': figures.duplicates === 0,
        'at least 90 % of the budget used': used >= (short ? 0.5 : 0.9),
        'answered 429: at most 1 %': refused <= (short ? 0.1 : 0.01),
        'at least 50,000 events a minute': short || perMinute >= 50_000,
      },
    );
  });
}

export const budget = (context) =>
  budgetOf(context, (limit, length) => ({ rate_limit: limit, rate_window: `${length}s` }));

// --- an outage ---

const PROBE_S = 5; // the longest time between two probes

export const outageProbes = ({ kafka, short }) =>
  onRig(
    {
      kafka,
      consumers: 3,
      ...few(short),
      destination: { retry_initial: '500ms', retry_max: '60s' },
    },
    async (rig) => {
      const seconds = short ? 15 : 90;
      await rig.warmUp('order_update,new_message');
      const load = rig.load({ rate: 500, batch: 5, lanes: 40, events: 'order_update,new_message' });
      await load.accepted(500);
      await rig.receiver.script({ rules: [{ status: 503 }] });
      const from = (await rig.receiver.counts()).mono_us;
      await pause(seconds * 1000);
      const { mono_us: to, distinct } = await rig.receiver.script({});
      await waitFor(
        'deliveries go on',
        async () => (await rig.receiver.counts()).distinct > distinct,
        { within: 30_000, every: 20 },
      );
      const back = (await rig.receiver.counts()).mono_us;
      const behind = load.last.accepted;
      await waitFor(
        'caught up',
        async () => (await rig.receiver.counts()).distinct >= behind,
        { within: 120_000, every: 50 },
      );
      const caughtUp = (await rig.receiver.counts()).mono_us;
      await load.stop();
      await rig.arrived();
      const probes = (await rig.receiver.requests())
        .map(({ at_us }) => at_us)
        .filter((at) => at > from + (short ? 8 : 30) * US && at < to);
      const gaps = probes.slice(1).map((at, i) => (at - probes[i]) / US);
      const figures = {
        faults: 1,
        ...(await rig.figures()),
        recovery_s_max: round((back - to) / US),
        catch_up_s: round((caughtUp - to) / US),
        probes: probes.length,
        gap_s_min: round(Math.min(...gaps)),
      };
      return verdict(figures, {
        ...promises(figures),
        'probed at all': probes.length > 0,
        // the breaker has reached its longest interval by then
        'at most one request per probe interval, of all replicas': gaps.every(
          (gap) => gap >= PROBE_S * 0.9,
        ),
        'noticed within a probe interval': (back - to) / US <= PROBE_S + 1,
      });
    },
  );

// --- priorities ---

const LIMITS = { long: [100, 60], short: [20, 12] }; // requests, seconds
const LATE_MS = 5000;

// What is left of the backlog is no longer of interest: its consumers come again without a limit.
async function drain(rig) {
  await rig.receiver.script({});
  for (const consumer of rig.consumers) {
    await consumer.stop();
    Object.assign(consumer.env, settingsOf(rig.destination, { rate_limit: 0 }));
    await consumer.start();
  }
  await rig.arrived(rig.loads, { within: 300_000 });
}

// The requests since `from`, and those of them that carry events of the load.
async function sharesOf(rig, load, from) {
  const all = (await rig.receiver.requests({ withIds: true })).filter(({ at_us }) => at_us >= from);
  const with_it = all.filter(({ events }) => events.some((id) => id.startsWith(`${load.tag}-`)));
  return { requests_beside: all.length, requests_of_backlog: with_it.length };
}

export const priority = ({ kafka, short }) => {
  const [requests, seconds] = LIMITS[short ? 'short' : 'long'];
  const limit = { rate_limit: requests, rate_window: `${seconds}s` };
  const batch = { batch_count: 600, batch_count_max: 600 };
  return onRig({ kafka, consumers: 2, ...few(short), destination: { ...batch, ...limit } }, async (rig) => {
    await rig.warmUp('order_update,coisa_nova');
    await rig.receiver.script({ limit: { requests, window_ms: seconds * 1000 } });
    const count = short ? 30_000 : 1_000_000;
    const events = 'coisa_nova'; // of no type: custom, the lowest priority
    const low = rig.load({ count, batch: 500, lanes: 16, keys: 64, events, tag: 'low', patience: 300 });
    await low.done;
    const { mono_us: from } = await rig.receiver.counts();
    const shape = { rate: 10, batch: 1, lanes: 20, seconds: short ? 12 : 180 };
    const orders = rig.load({ ...shape, events: 'order_paid' });
    await orders.done;
    const sum = await waitFor(
      'the orders have arrived',
      async () => {
        const now = await rig.receiver.sum([orders]);
        return now.lost === 0 && now;
      },
      { within: 60_000, every: 500 },
    );
    const shares = await sharesOf(rig, low, from);
    const { distinct } = await rig.receiver.counts();
    await drain(rig);
    const figures = {
      faults: 0,
      ...(await rig.figures()),
      ...shares,
      order_p99_ms: sum.delays.order_paid.p99_ms,
    };
    return verdict(figures, {
      ...promises(figures),
      'nothing twice': figures.duplicates === 0,
      'the backlog lasted': distinct < count,
      [`p99 of order at most ${LATE_MS} ms`]: figures.order_p99_ms <= LATE_MS,
      'the lowest type gets at least 1 % of the requests':
        shares.requests_of_backlog >= shares.requests_beside / 100,
    });
  });
};
