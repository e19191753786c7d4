// Goal: `esteira status` proves from what every event carries that nothing is lost: missing is 0 after
// ordinary runs, and exactly what was taken away otherwise; and it says why delivery stands still.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { program } from '../support/paths.mjs';
import { scenario } from '../support/pipeline.mjs';
import { Publisher } from '../support/publisher.mjs';
import { series } from '../support/samples.mjs';
import { putRecords } from '../support/topics.mjs';
import { waitFor } from '../support/wait.mjs';

const FAULT = { code: 'E-TOTAL', detail: 'total is missing', pointer: '/payload/total' };

// {code, out, err}
function esteira(belt, args) {
  return new Promise((resolve) => {
    const options = { env: belt.env, cwd: belt.dir, timeout: 60_000 };
    execFile(program('esteira'), [...args, '-c', belt.config], options, (error, out, err) =>
      resolve({ code: error?.code ?? 0, out, err }),
    );
  });
}

// {code, all, d: the destination, order: its type order}
async function status(belt, ...more) {
  const { code, out, err } = await esteira(belt, ['status', '--json', ...more]);
  assert.ok(code === 0 || code === 1, `${code} ${out} ${err}`);
  const all = JSON.parse(out);
  const [d] = all.destinations;
  for (const sum of [d, ...d.types])
    assert.equal(sum.accepted, sum.delivered + sum.dlq + sum.missing + sum.expired + sum.pending);
  return { code, all, d, order: d.types.find(({ type }) => type === 'order') };
}

async function settled(belt, what, is) {
  let last;
  return waitFor(
    () => `${what}; ${JSON.stringify({ ...last?.d, types: undefined, order: last?.order })}`,
    async () => {
      last = await status(belt);
      return is(last) && last;
    },
    { within: 40_000, every: 300 },
  );
}

const numbers = ({ accepted, delivered, dlq, pending, missing, expired }) => ({
  accepted,
  delivered,
  dlq,
  pending,
  missing,
  expired,
});

scenario('at rest, with dead letters, over a restart, paused', { redis: true }, async (belt) => {
  const nothing = await status(belt);
  assert.deepEqual([nothing.code, nothing.d.verdict], [0, 'empty']);

  const publisher = new Publisher(belt.url);
  const events = [...series(400)];
  const poison = new Set([events[7].id, events[300].id]);
  belt.sink.refuses = (event) => (poison.has(event.id) ? FAULT : null);
  await publisher.send(events);
  const rest = await settled(belt, 'at rest', ({ d }) => d.accepted === 400 && d.pending === 0);
  assert.equal(rest.code, 0);
  assert.equal(rest.all.ok, true);
  const want = { accepted: 400, delivered: 398, dlq: 2, pending: 0, missing: 0, expired: 0 };
  assert.deepEqual(numbers(rest.d), want);
  assert.deepEqual(numbers(rest.order), want);
  assert.equal(rest.d.consumers, 1);
  assert.equal(rest.d.verdict, 'fine');
  assert.deepEqual([rest.d.lag, rest.d.oldest_ms, rest.d.unknown_partitions], [0, -1, 0]);
  await settled(belt, 'the consumer tells', ({ d }) => d.state === 'delivering');

  belt.sink.refuses = () => null;
  await belt.esteira('dlq', 'replay', '-c', belt.config, '--yes');
  const replayed = await settled(belt, 'put back', ({ d }) => d.delivered === 400 && d.pending === 0);
  assert.deepEqual(numbers(replayed.d), { ...want, delivered: 400, dlq: 0 });
  assert.equal(replayed.d.replayed, 2);

  await belt.consumers[0].kill();
  await publisher.send([...series(100, { name: 'mais' })]);
  const nobody = await settled(belt, 'nobody', ({ d }) => d.verdict === 'nobody'); // its session ends first
  assert.equal(nobody.d.pending, 100);
  assert.ok(nobody.d.oldest_ms > 0);
  assert.equal((await esteira(belt, ['status', '--strict'])).code, 1);
  assert.equal((await esteira(belt, ['status'])).code, 0, 'what waits is not lost');

  fs.writeFileSync(belt.tokenFile, 'another\n');
  await belt.consumers[0].start({ ready: false });
  const paused = await settled(belt, 'paused', ({ d }) => d.state === 'paused');
  assert.deepEqual([paused.code, paused.d.verdict, paused.d.reason, paused.d.code], [0, 'paused', 'auth', 'E-DASH-AUTH']);
  assert.equal(paused.d.pending, 100);
  const text = await esteira(belt, ['status', '--lang', 'en']);
  assert.match(text.out, /Delivery to dashboard pauses \[E-DASH-AUTH\]/);
  assert.match(text.out, /500 accepted = 400 delivered \+ 0 in the DLQ \+ 100 on the way/);

  fs.writeFileSync(belt.tokenFile, 'token-velho\n');
  const done = ({ d }) => d.delivered === 500 && d.pending === 0 && d.verdict === 'fine';
  const end = await settled(belt, 'all there', done);
  assert.deepEqual([end.code, end.d.missing, end.d.dlq], [0, 0, 0]);
  const pt = await esteira(belt, ['status', '--lang', 'pt']);
  assert.match(pt.out, /Tudo em dia\. Nenhum evento perdido\./);
  assert.match(pt.out, /500 aceitos = 500 entregues \+ 0 na DLQ \+ 0 a caminho/);
  const watched = await esteira(belt, ['status', '--watch', '--count', '2', '--json']);
  assert.equal(watched.out.trim().split('\n').length, 2);
  assert.equal(watched.code, 0);
});

// As a shim would have stamped them, but five numbers never came into the topic.
scenario('five records that are not there are five missing', { redis: true }, async (belt) => {
  const publisher = new Publisher(belt.url);
  await publisher.send([...series(50)]);
  await settled(belt, 'at rest', ({ d }) => d.delivered === 50 && d.pending === 0);
  const [model] = await belt.records(belt.topic('order'));
  const boot = randomBytes(16).toString('hex');
  const gone = new Set([0, 3, 4, 11, 17]);
  const records = Array.from({ length: 20 }, (_, n) => n)
    .filter((n) => !gone.has(n))
    .map((n) => ({
      key: 'k',
      value: model.value,
      headers: {
        ce_id: Buffer.from(`${boot}-${n}`),
        'esteira-chain': Buffer.from(`${boot}/0/order/0/${n}`),
      },
    }));
  putRecords(belt.kafka.brokers, belt.topic('order'), records);
  const { code, all, d, order } = await settled(belt, 'five are missing', (s) => s.d.missing > 0 && s.d.pending === 0);
  assert.deepEqual([code, all.ok, d.verdict], [1, false, 'missing']);
  assert.deepEqual([d.missing, order.missing, d.accepted, d.delivered], [5, 5, 70, 65]);
  assert.match((await esteira(belt, ['status', '--lang', 'pt'])).out, /A conta não fecha: faltam 5 eventos\./);
});

scenario('37 entries taken out of the buffer are 37 missing', { ownKafka: true, redis: true, timeout: 300_000 }, async (belt) => {
  const publisher = new Publisher(belt.url);
  await publisher.send([...series(80)]);
  await settled(belt, 'at rest', ({ d }) => d.delivered === 80 && d.pending === 0);
  await belt.kafka.kill();
  await publisher.send([...series(400, { name: 'reserva' })]);
  await waitFor('they are buffered', async () => (await belt.redis.buffered()) === 400, { within: 60_000 });
  const [stream] = (await belt.redis.ask('KEYS', '{esteira:buf:*}:order')).filter((key) => !key.endsWith(':refused'));
  const entries = await belt.redis.ask('XRANGE', stream, '-', '+');
  const victims = entries.map(([id]) => id).filter((_, i) => i % 10 === 3).slice(0, 37);
  assert.equal(victims.length, 37);
  assert.equal(await belt.redis.ask('XDEL', stream, ...victims), 37);
  await belt.kafka.start();
  const { code, d } = await settled(belt, '37 are missing', (s) => s.d.missing > 0 && s.d.pending === 0 && s.all.buffer.entries === 0);
  assert.equal(code, 1);
  assert.deepEqual([d.missing, d.delivered, d.accepted], [37, 443, 480]);
});
