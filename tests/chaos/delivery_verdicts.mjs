// What the receiver refuses, and what becomes of it: poison, a token that is worth nothing any more, a
// route that is gone, hiccups.

import { pause, waitFor } from '../support/wait.mjs';
import { TOKEN, onRig } from './delivery_rig.mjs';
import { promises, round, verdict } from './verdict.mjs';

const MARK = '"mark":true';

// --- poison ---

// Of every refused batch: how many requests it cost. A family is a batch that was refused as a whole and
// all later requests that hold nothing but its events.
export function families(requests) {
  const open = new Map(); // id of an event -> its family
  const all = [];
  for (const { status, events } of requests) {
    let family = events.length > 0 ? open.get(events[0]) : undefined;
    if (!family && status === 422 && events.length > 1) {
      family = { size: events.length, failed: 0, requests: 0, poison: 0 };
      all.push(family);
      for (const id of events) open.set(id, family);
    }
    if (!family) continue;
    family.requests++;
    if (status === 422) family.failed++;
    if (status === 422 && events.length === 1) family.poison++;
    if (status < 300 || events.length === 1) for (const id of events) open.delete(id);
  }
  return all;
}

const log2 = (n) => Math.ceil(Math.log2(n));
const worst = (list, of) => Math.max(0, ...list.map(of));

// A clean run at a steady rate, then one of the same rate with poison in it, told apart by event name.
async function withPoison({ kafka, short }, rule, judge) {
  const every = short ? 250 : 10_000;
  const shape = { rate: short ? 1000 : 5000, lanes: 20, keys: 4, batch: 10 };
  const seconds = short ? 3 : 60;
  return onRig({ kafka, ...(short && { partitions: 2 }) }, async (rig) => {
    await rig.warmUp('order_update');
    const clean = rig.load({ ...shape, seconds, events: 'order_created', tag: 'clean' });
    await clean.done;
    await rig.arrived();
    await rig.receiver.script({ rules: [{ text: MARK, status: 422, ...rule }] });
    // mark: of each lane; the lanes together come to 1 in `every`
    const load = rig.load({ ...shape, seconds, events: 'order_paid', tag: 'poison', mark: every });
    await load.done;
    const poison = load.marked();
    await rig.arrived(rig.loads, { dead: poison });
    await rig.deadLettered(poison);
    const { claims, ...more } = await judge(rig);
    const figures = { faults: poison, ...(await rig.figures()), rate: shape.rate, ...more };
    const [a, b] = ['order_created', 'order_paid'].map((name) => figures.delays[name].p99_ms);
    return verdict(figures, {
      'nothing lost': figures.lost === 0,
      'only poison among the dead letters': figures.dlq === poison && poison > 0,
      'order kept': figures.inversions === 0,
      'nothing twice': figures.duplicates === 0,
      'p99 of the others below twice that of a clean run': short || b < 2 * a,
      ...claims,
    });
  });
}

export const poison = (context) =>
  withPoison(context, {}, async (rig) => {
    const all = families(await rig.receiver.requests({ withIds: true }));
    return {
      batches_refused: all.length,
      failed_worst: worst(all, (f) => f.failed / f.poison),
      extra_worst: worst(all, (f) => (f.requests - 1) / f.poison),
      claims: {
        'failed requests at most 1 + log2 n': all.every(
          (f) => f.failed <= f.poison * (1 + log2(f.size)),
        ),
        'extra requests at most 2 log2 n': all.every(
          (f) => f.requests - 1 <= 2 * f.poison * log2(f.size),
        ),
      },
    };
  });

export const poisonItems = (context) =>
  withPoison(context, { item: true }, async (rig) => {
    const sum = await rig.receiver.sum(rig.loads);
    const again = await resent(rig);
    return {
      ...again,
      claims: {
        'only failed items sent again': again.resent_good === 0,
        'no request refused': Object.keys(sum.statuses).every((s) => Number(s) < 400 || s === '422'),
      },
    };
  });

// Arrivals of events that had been taken before.
async function resent(rig) {
  const arrivals = await rig.receiver.arrivals({ tag: 'poison' });
  const taken = new Set();
  let good = 0;
  for (const { lane, n, status } of arrivals) {
    const id = `${lane}-${n}`;
    if (taken.has(id)) good++;
    if (status < 300) taken.add(id);
  }
  return { resent_good: good, arrivals: arrivals.length };
}

// --- trouble with the token or the route is a pause ---

// Steady events; in mid-stream every request is refused by `script` for some seconds, then `mend`.
async function paused({ kafka, short, consumers = 1 }, { script, mend, bound }) {
  const seconds = short ? 3 : 60;
  return onRig({ kafka, consumers, ...(short && { partitions: 2 }) }, async (rig) => {
    await rig.receiver.script({ tokens: [TOKEN] });
    await rig.warmUp('order_update,new_message');
    const load = rig.load({ rate: 500, batch: 5, lanes: 40, events: 'order_update,new_message' });
    await load.accepted(500);
    await rig.receiver.script(script);
    await pause(seconds * 1000);
    const during = await rig.receiver.counts();
    await mend(rig);
    const mended = performance.now();
    const before = during.distinct;
    await waitFor(
      `deliveries go on; see ${rig.dir}`,
      async () => (await rig.receiver.counts()).distinct > before,
      { within: 30_000, every: 20 },
    );
    const recovery = (performance.now() - mended) / 1000;
    await load.more(500);
    await load.stop();
    await rig.arrived();
    const figures = {
      faults: 1,
      ...(await rig.figures()),
      recovery_s_max: round(recovery),
      requests_while_paused: rig.receiver.failed(during),
      paused_s: seconds,
    };
    return verdict(figures, {
      ...promises(figures),
      'nothing twice': figures.duplicates === 0,
      [`goes on within ${bound} s`]: recovery <= bound,
      // a probe at most 0.5 s to 5 s apart (retry_initial, retry_max), and what was under way at first
      'not hammered': rig.receiver.failed(during) <= 8 + 20 * Math.sqrt(seconds),
    });
  });
}

export const auth401 = (context) =>
  paused(context, {
    script: { tokens: ['token-novo'] },
    mend: (rig) => rig.writeToken('token-novo'),
    bound: 5,
  });

export const route404 = (context) =>
  paused(context, {
    script: { tokens: [TOKEN], rules: [{ status: 404 }] },
    mend: (rig) => rig.receiver.script({ tokens: [TOKEN] }),
    bound: 5,
  });

// --- hiccups ---

const QUICK = { retry_initial: '500ms', retry_max: '60s', retries: 3 };
const near = (value, wanted) => Math.abs(value - wanted) < 0.25;

// A single event that is refused for a while: seconds between its tries.
async function triesOf(rig, { status, item, tag, seconds }) {
  await rig.receiver.script({ rules: [{ text: `"id":"${tag}-`, status, item }] });
  const load = rig.load({ count: 1, lanes: 1, keys: 1, batch: 1, tag, events: 'order_update' });
  await load.done;
  await pause(seconds * 1000);
  const tries = (await rig.receiver.arrivals(load)).map(({ at_us }) => at_us / 1e6);
  await rig.receiver.script({});
  await rig.arrived(rig.loads, { within: 90_000 });
  return tries.slice(1).map((at, i) => round(at - tries[i]));
}

// The quick tries begin 0.5 s and 1 s after the one before; what follows does not belong to them.
const areThree = ([first, second, third]) =>
  near(first, 0.5) && near(second, 1) && (third === undefined || third >= 1.4);

export const fastRetries = ({ kafka, short }) =>
  onRig({ kafka, ...(short && { partitions: 2 }), destination: QUICK }, async (rig) => {
    const seconds = short ? 4 : 20;
    await rig.warmUp('order_update');
    const of = {
      refused_409: await triesOf(rig, { status: 409, item: true, tag: 'um', seconds }),
      failed_503: await triesOf(rig, { status: 503, tag: 'dois', seconds }),
    };
    const figures = { faults: 2, ...(await rig.figures()), gaps_s: of };
    return verdict(figures, {
      ...promises(figures),
      'nothing twice': figures.duplicates === 0,
      'an event that is refused: three tries, then the long backoff': areThree(of.refused_409),
      'a request that fails: three tries, then the long backoff': areThree(of.failed_503),
    });
  });
