// Goal: `esteira trace ID` says where an event is and every attempt that it had, for one that was delivered,
// retried, dead-lettered, put back, buffered, or that nobody knows; also after the consumer has restarted.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { postEvent } from '../support/http.mjs';
import { program } from '../support/paths.mjs';
import { scenario } from '../support/pipeline.mjs';
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

async function trace(belt, id, ...more) {
  const { code, out, err } = await esteira(belt, ['trace', id, '--json', ...more]);
  assert.ok(code === 0 || code === 1, `${code} ${out} ${err}`);
  const answer = JSON.parse(out);
  return { code, answer, destination: answer.destinations[0] };
}

const outcomes = (destination) => destination.attempts.map((a) => [a.status, a.outcome]);

// The log comes a moment behind the event: waits until it tells of all the attempts, too.
async function traceOf(belt, id, want, attempts) {
  let last;
  const wanted = JSON.stringify(attempts);
  return waitFor(
    () => `${id} is ${want}, ${wanted ?? ''}; ${JSON.stringify(last?.destination)}`,
    async () => {
      last = await trace(belt, id);
      const told = attempts === undefined || JSON.stringify(outcomes(last.destination)) === wanted;
      return last.code === 0 && last.destination.state === want && told && last;
    },
    { within: 30_000, every: 200 },
  );
}

async function send(belt, more = {}) {
  const event = { id: randomUUID(), event: 'order_paid', payload: { order_id: randomUUID() }, ...more };
  assert.equal((await postEvent(belt.url, event)).status, 202);
  return event.id;
}

scenario('delivered, retried, dead-lettered, put back, unknown', { redis: true }, async (belt) => {
  const failing = new Map(); // id → answers that are left
  const taken = (id) => belt.sink.seen.has(id);
  belt.sink.answerWith = ({ body }) => {
    for (const [id, answers] of failing)
      if (body.includes(id) && answers.length > 0) return { status: answers.shift(), json: {} };
    return null;
  };

  const delivered = await send(belt);
  await waitFor('delivered', () => taken(delivered));
  const one = await traceOf(belt, delivered, 'delivered', [[201, 'delivered']]);
  assert.equal(one.answer.event, 'order_paid');
  assert.equal(one.answer.type, 'order');
  assert.equal(one.answer.records.length, 1);
  assert.equal(one.answer.records[0].topic, belt.topic('order'));
  assert.ok(Date.parse(one.answer.records[0].at) <= Date.parse(one.destination.attempts[0].at) + 5);

  const retriedId = randomUUID();
  failing.set(retriedId, [503, 500]);
  await send(belt, { id: retriedId });
  await waitFor('delivered at last', () => taken(retriedId));
  const retried = await traceOf(belt, retriedId, 'delivered', [
    [503, 'failed'],
    [500, 'failed'],
    [201, 'delivered'],
  ]);

  const poison = randomUUID();
  belt.sink.refuses = (event) => (event.id === poison ? FAULT : null);
  await send(belt, { id: poison });
  await waitFor('dead', async () => (await belt.deadLetters()) === 1, { every: 200 });
  const dead = await traceOf(belt, poison, 'dead_lettered', [[422, 'refused']]);
  assert.equal(dead.destination.dead_letters.length, 1);
  assert.equal(dead.destination.dead_letters[0].topic, belt.deadLetterTopic('order'));
  assert.equal(dead.destination.dead_letters[0].http_status, 422);
  assert.equal(dead.destination.dead_letters[0].state, 'open');

  belt.sink.refuses = () => null;
  await belt.esteira('dlq', 'replay', '-c', belt.config, '--id', poison, '--yes');
  await waitFor('the replay is taken', () => taken(poison));
  const replayed = await traceOf(belt, poison, 'delivered', [
    [422, 'refused'],
    [201, 'delivered'],
  ]);
  assert.equal(replayed.answer.records.length, 2);
  assert.equal(replayed.answer.records[1].put_back_for, 'dashboard');
  assert.equal(replayed.destination.dead_letters[0].state, 'replayed');

  const { code, answer } = await trace(belt, randomUUID(), '--since', '10m');
  assert.deepEqual([code, answer.found], [1, false]);

  // For people, in both languages; nothing of the payload.
  const english = await esteira(belt, ['trace', retriedId, '--lang', 'en']);
  assert.equal(english.code, 0);
  assert.match(english.out, /dashboard: delivered after/);
  assert.match(english.out, /attempt 1 +503 .*http_5xx/);
  assert.match(english.out, /attempt 3: delivered +201/);
  const portuguese = await esteira(belt, ['trace', poison, '--lang', 'pt']);
  assert.match(portuguese.out, /dashboard: entregue em/);
  assert.match(portuguese.out, /tentativa 1: recusado +422/);
  assert.match(portuguese.out, /devolvido +order#/);

  // What was known is known to the next life, too.
  await belt.consumers[0].kill();
  await belt.consumers[0].start();
  for (const [id, want] of [
    [delivered, one],
    [retriedId, retried],
    [poison, replayed],
  ]) {
    const again = await traceOf(belt, id, 'delivered');
    assert.deepEqual(outcomes(again.destination).slice(0, want.destination.attempts.length), outcomes(want.destination));
  }
});

scenario('waiting: queued without a consumer, retried over a restart', {}, async (belt) => {
  await belt.consumers[0].stop();
  const queued = await send(belt);
  const waiting = await trace(belt, queued); // `unknown` where the group has never committed
  assert.match(waiting.destination.state, /^(queued|unknown)$/);
  assert.deepEqual(outcomes(waiting.destination), []);

  belt.sink.answerWith = ({ method }) => (method === 'POST' ? { status: 503, json: {} } : null);
  await belt.consumers[0].start();
  const retrying = await traceOf(belt, queued, 'retrying');
  assert.ok(retrying.destination.attempts.length >= 1);
  assert.ok(outcomes(retrying.destination).every(([status, outcome]) => status === 503 && outcome === 'failed'));
  await belt.consumers[0].stop();
  belt.sink.answerWith = null;
  await belt.consumers[0].start();
  await waitFor('taken', () => belt.sink.seen.has(queued), { within: 30_000 });
  await traceOf(belt, queued, 'delivered');
  const { destination } = await waitFor('the last attempt is told', async () => {
    const now = await trace(belt, queued);
    return outcomes(now.destination).at(-1)?.[1] === 'delivered' && now;
  });
  assert.ok(destination.attempts.length > 1, 'those of the life before, too');
  assert.deepEqual(outcomes(destination).at(-1), [201, 'delivered']);
});

scenario('in the buffer, while Kafka is away', { ownKafka: true, redis: true, timeout: 300_000 }, async (belt) => {
  await send(belt);
  await belt.kafka.kill();
  const id = await waitFor('it is buffered', () => send(belt).catch(() => null), { within: 60_000, every: 200 });
  const { code, answer, destination } = await trace(belt, id, '--timeout', '3s');
  assert.equal(code, 0);
  assert.equal(destination.state, 'buffered');
  assert.deepEqual(answer.waiting.map((w) => [w.instance, w.type]), [['shim-1', 'order']]);
  await belt.kafka.start();
  await waitFor('handed over and delivered', () => belt.sink.seen.has(id), { within: 90_000 });
  await traceOf(belt, id, 'delivered');
});
