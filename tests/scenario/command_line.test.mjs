// Goal: what the command line says about real services is true: topics, a look at everything, events out
// of a file with some that are wrong, and the events of a type as they passed.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { program } from '../support/paths.mjs';
import { scenario } from '../support/pipeline.mjs';
import { numbered } from '../support/samples.mjs';
import { waitFor } from '../support/wait.mjs';

// {code, out, err}: how a command ended, also when it ended badly.
function esteira(belt, args, env = {}) {
  const options = { env: { ...belt.env, ...env }, cwd: belt.dir, timeout: 120_000, maxBuffer: 1 << 26 };
  return new Promise((resolve) => {
    execFile(program('esteira'), [...args, '-c', belt.config], options, (error, out, err) =>
      resolve({ code: error ? error.code : 0, out, err }),
    );
  });
}

// What was sent twice, because an answer did not come in time, carries the same id and is the same event.
function once(events) {
  const seen = new Set();
  return events.filter((event) => !seen.has(event.id) && seen.add(event.id)).map((event) => event.id);
}

const objects = (text) => text.trim().split('\n').map((line) => JSON.parse(line));

function eventsFile(belt, name, events) {
  const file = path.join(belt.dir, name);
  const lines = events.map((event) => (typeof event === 'string' ? event : JSON.stringify(event)));
  fs.writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

scenario('check, topics: what is there is seen', { dashboard: true, redis: true }, async (belt) => {
  const check = await esteira(belt, ['check', '--json']);
  assert.equal(check.code, 0, check.out + check.err);
  const answer = JSON.parse(check.out);
  assert.equal(answer.ok, true);
  const looks = Object.fromEntries(answer.looks.map((look) => [look.part, look.state]));
  assert.deepEqual(looks, { schema: 'ok', redis: 'ok', kafka: 'ok', destination: 'ok' });

  await belt.redis.kill();
  const away = await esteira(belt, ['check', '--json', '--timeout', '2s']);
  assert.equal(away.code, 0, away.out + away.err);
  assert.deepEqual(
    JSON.parse(away.out).looks.filter((look) => look.part === 'redis').map((look) => [look.state, look.code]),
    [['warning', 'E-REDIS-DOWN']],
  );

  const again = await esteira(belt, ['topics', 'apply', '--json']);
  assert.equal(again.code, 0);
  assert.ok(objects(again.out).every((topic) => topic.state === 'exists'));

  const more = await esteira(belt, ['topics', 'apply'], { ESTEIRA_TYPES_ORDER_PARTITIONS: '9' });
  assert.equal(more.code, 1);
  assert.match(more.out, /order {2}has 8 partitions, pipeline.yaml says 9/);

  const nine = { ESTEIRA_TYPES_ORDER_PARTITIONS: '9' };
  const grow = async (...args) => {
    const { code, out } = await esteira(belt, ['topics', 'apply', '--json', ...args], nine);
    const order = objects(out).find(({ topic }) => topic === belt.topic('order'));
    return [code, order.state, order.partitions];
  };
  assert.deepEqual(await grow('--grow', '--dry-run'), [0, 'differs', 8]);
  assert.deepEqual(await grow(), [1, 'differs', 8]);
  assert.deepEqual(await grow('--grow'), [0, 'grown', 9]);
  await waitFor('nine are there', async () => (await grow())[2] === 9);
  assert.deepEqual(await grow('--grow'), [0, 'exists', 9]);
  assert.deepEqual((await esteira(belt, ['topics', 'apply', '--grow'])).code, 1, 'never fewer');

  const copies = await esteira(belt, ['health', 'kafka', '--json']);
  assert.deepEqual([copies.code, JSON.parse(copies.out).state], [0, 'ready'], copies.out);

  const dry = await esteira(belt, ['topics', 'apply', '-n', '--json'], {
    ESTEIRA_KAFKA_TOPIC_PREFIX: `${belt.prefix}outro.`,
    ESTEIRA_DESTINATIONS_DASHBOARD_ATTEMPTS: 'off', // attempts.dashboard is there, for all prefixes
  });
  assert.ok(objects(dry.out).every((topic) => topic.state === 'missing'));

  const refused = await esteira(belt, ['check', '--json'], {
    ESTEIRA_DESTINATIONS_DASHBOARD_TOKEN_FILE: eventsFile(belt, 'wrong.token', ['outro']),
  });
  assert.equal(refused.code, 77, refused.out + refused.err);
  assert.ok(JSON.parse(refused.out).looks.some((look) => look.code === 'E-DASH-AUTH'));
});

scenario('publish, tail: a file in, the same events out', { consumers: 0 }, async (belt) => {
  const good = Array.from({ length: 1200 }, (_, i) => numbered(`pedido-${i % 7}`, i + 1));
  const events = [...good.slice(0, 600), '{broken', { payload: {} }, ...good.slice(600)];
  const args = ['publish', eventsFile(belt, 'events.ndjson', events), '--url', belt.url, '--json'];

  const sent = await esteira(belt, args);
  assert.equal(sent.code, 65, sent.out + sent.err);
  const answers = objects(sent.out);
  assert.deepEqual(
    answers.filter((answer) => answer.kind === 'refused').map((answer) => [answer.line, answer.code]).sort(),
    [[601, 'E-JSON'], [602, 'E-EVENT-SHAPE']],
  );
  assert.equal(answers.at(-1).accepted, 1200);

  const all = await esteira(belt, ['tail', 'order', '--since', '1h', '--no-follow']);
  assert.equal(all.code, 0, all.err);
  const ids = good.map((event) => event.id);
  assert.deepEqual(once(objects(all.out)).sort(), [...ids].sort());

  const some = await esteira(belt, ['tail', 'order', '--since', '1h', '--no-follow', '--filter', 'payload.order_id=pedido-3']);
  const wanted = good.filter((event) => event.payload.order_id === 'pedido-3');
  assert.deepEqual(
    once(objects(some.out)),
    wanted.map((event) => event.id),
  );

  const none = await esteira(belt, ['tail', 'payment', '--since', '1h', '--no-follow']);
  assert.equal(none.code, 1);
  assert.equal(none.out, '');
});

scenario('publish goes on through a shim that is killed', { consumers: 0 }, async (belt) => {
  const count = 20_000;
  const lines = Array.from({ length: count }, (_, i) =>
    JSON.stringify({ event: 'user_login', payload: { user_id: `u${i}` } }),
  );
  const file = eventsFile(belt, 'logins.ndjson', lines);
  const sending = esteira(belt, ['publish', file, '--url', belt.url, '--timeout', '60s', '--json']);
  await waitFor('some of them in Kafka', async () => (await belt.counts())[belt.topic('user')] > 0);
  await belt.shim.kill();
  await belt.shim.start();
  const sent = await sending;
  assert.equal(sent.code, 0, sent.out + sent.err);
  assert.equal(objects(sent.out).at(-1).accepted, count);

  // The lines had no ids: what was sent twice carries the id that it was given the first time.
  const tail = await esteira(belt, ['tail', 'user', '--since', '1h', '--no-follow']);
  assert.equal(tail.code, 0, tail.err);
  const seen = objects(tail.out);
  assert.equal(new Set(seen.map((event) => event.payload.user_id)).size, count);
  assert.equal(new Set(seen.map((event) => event.id)).size, count);
});
