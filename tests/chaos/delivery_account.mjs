// What the system says of itself, against what the receiver wrote down.

import { eachRecord, isMark } from '../support/topics.mjs';
import { pause, waitFor } from '../support/wait.mjs';
import { TOKEN, onRig } from './delivery_rig.mjs';
import { verdict } from './verdict.mjs';

const TYPES = 'order_update,new_message,payment_update,user_update';
const few = (short) => (short ? { partitions: 2 } : {});

// --- metrics ---

const CLASSES = {
  401: 'auth',
  404: 'route',
  408: 'timeout',
  409: 'conflict',
  413: 'too_large',
  422: 'schema',
  429: 'rate_limited',
  500: 'http_5xx',
  501: 'http_5xx',
  503: 'http_5xx',
  599: 'timeout', // the script's own: given too late
};

// {label value: sum} of a family.
export function byLabel(text, family, label) {
  const sums = {};
  for (const [, labels, n] of text.matchAll(new RegExp(`^${family}\\{([^}]*)\\} ([\\d.e+-]+)$`, 'gm'))) {
    const value = new RegExp(`${label}="([^"]*)"`).exec(labels)?.[1] ?? '';
    sums[value] = (sums[value] ?? 0) + Number(n);
  }
  return sums;
}

const total = (sums) => Object.values(sums).reduce((sum, n) => sum + n, 0);

// What each failure would be called, by the journal.
function expected(requests) {
  const sums = {};
  for (const { status, route } of requests) {
    if (status < 300 || (route !== 'single' && route !== 'batch')) continue;
    const name = CLASSES[status] ?? `status ${status}`;
    sums[name] = (sums[name] ?? 0) + 1;
  }
  return sums;
}

const TROUBLES = [
  { status: 503, times: 2 },
  { status: 500, times: 1 },
  { status: 429, retry_after_s: 1, times: 1 },
  { status: 408, times: 1 },
  { status: 409, times: 1 },
  { status: 404, times: 2 },
  { status: 401, times: 2 },
  { status: 501, times: 1 },
  { status: 599, delay_ms: 1500, times: 2 },
];

const same = (a, b) =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].every((k) => (a[k] ?? 0) === (b[k] ?? 0));

// One trouble after the other in a running stream, poison in between.
export const metricsJournal = ({ kafka, short }) =>
  onRig({ kafka, ...few(short), destination: { timeout: '1s' } }, async (rig) => {
    const poison = { text: '"mark":true', status: 422 };
    const rounds = short ? 1 : 10;
    const shape = { rate: 300, batch: 3, lanes: 30, mark: 200, events: TYPES };
    await rig.warmUp(TYPES);
    const load = rig.load(shape);
    for (let round = 0; round < rounds; round++)
      for (const trouble of TROUBLES) {
        const { distinct } = await rig.receiver.script({ tokens: [TOKEN], rules: [trouble, poison] });
        await load.more(60);
        await waitFor(
          `deliveries after ${trouble.status}; see ${rig.dir}`,
          async () => (await rig.receiver.counts()).distinct > distinct + 60,
          { within: 30_000, every: 20 },
        );
      }
    await load.stop();
    await rig.arrived(rig.loads, { dead: load.marked() });
    await rig.deadLettered(load.marked());
    await pause(1500); // an answer that is still on its way
    const requests = await rig.receiver.requests();
    const { text } = await rig.consumers[0].get('/metrics');
    const attempts = total(byLabel(text, 'dashboard_event_send_duration_seconds_count', 'class'));
    const failures = byLabel(text, 'dashboard_event_failure_total', 'class');
    const posts = requests.filter(({ route }) => route === 'single' || route === 'batch').length;
    const figures = {
      faults: rounds * TROUBLES.length,
      ...(await rig.figures()),
      attempts,
      failures,
      failures_expected: expected(requests),
    };
    return verdict(figures, {
      'nothing lost': figures.lost === 0,
      'order kept': figures.inversions === 0,
      'only poison among the dead letters': figures.dlq === load.marked(),
      'attempts are the requests of the journal': attempts === posts,
      'failures are those of the journal, by class': same(failures, expected(requests)),
    });
  });

// --- the account ---

const GONE = { buffer: 37, topic: 5 };

// As many entries as that, here and there in the longest stream of the buffer.
async function deleteEntries(redis, count) {
  const keys = (await redis.ask('KEYS', '{esteira:buf:*}:order')).filter((key) => !/:refused$/.test(key));
  const entries = await redis.ask('XRANGE', keys[0], '-', '+');
  const step = Math.floor(entries.length / count);
  const victims = entries.filter((_, i) => i % step === 1).slice(0, count);
  return redis.ask('XDEL', keys[0], ...victims.map(([id]) => id));
}

// The consumer comes again, and does not see some records that are still to come into a partition: not the
// very next ones, for what is gone between a commit and the first record is what retention takes.
async function hideNext(rig, count) {
  const [consumer] = rig.consumers;
  await consumer.stop();
  const last = await waitFor('the mark behind what was drained', () => lastOfDrained(rig), {
    within: 30_000,
    every: 300,
  });
  const first = last + 4;
  consumer.env.ESTEIRA_TEST_HIDE = `order/0/${first}-${first + count - 1}`;
  await consumer.start();
}

// The last offset of the partition, once a mark is there.
async function lastOfDrained(rig) {
  let [last, marked] = [-1, false];
  for await (const record of eachRecord(rig.kafka.brokers, `${rig.prefix}order`)) {
    if (record.partition !== 0) continue;
    last = Math.max(last, record.offset);
    marked ||= isMark(record);
  }
  return marked && last;
}

// Entries deleted by hand from a stream of the buffer, and records that a consumer never sees.
export const account = ({ kafka, short }) =>
  onRig(
    {
      kafka,
      cut: true,
      ...few(short),
      env: { ESTEIRA_PRODUCER_ACK_TIMEOUT: '1s', ESTEIRA_KAFKA_MESSAGE_TIMEOUT: '2s' },
      missing: GONE.buffer + GONE.topic,
    },
    async (rig) => {
      await rig.warmUp('order_update');
      await rig.kafkaAway();
      const shape = { lanes: 20, keys: 4, batch: 5, events: 'order_update', patience: 120 };
      await rig.load({ ...shape, count: short ? 400 : 5000, tag: 'guardado' }).done;
      const deleted = await deleteEntries(rig.redis, GONE.buffer);
      await rig.kafkaBack();
      await rig.direct({ within: 60_000 });
      await rig.arrived(rig.loads, { dead: deleted });
      const first = await rig.atRest();
      await hideNext(rig, GONE.topic);
      await rig.load({ ...shape, count: 400, tag: 'oculto' }).done;
      await rig.arrived(rig.loads, { dead: deleted + GONE.topic });
      const second = await rig.atRest();
      const figures = {
        faults: 2,
        ...(await rig.figures()),
        deleted,
        missing_of_buffer: first.missing,
        missing_of_topic: second.missing - first.missing,
        missing_by_shim: rig.missing(),
      };
      return verdict(figures, {
        'lost: those that were deleted and hidden':
          deleted === GONE.buffer && figures.lost === GONE.buffer + GONE.topic,
        'order kept': figures.inversions === 0,
        [`status says ${GONE.buffer}`]: first.missing === GONE.buffer,
        [`and then ${GONE.topic} more`]: second.missing - first.missing === GONE.topic,
      });
    },
  );
