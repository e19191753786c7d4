// Goal: what a dashboard refused can be looked at without showing anyone's data, and goes back to where it
// came from byte for byte, each one though the replay is killed, and only as often as is allowed.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { program } from '../support/paths.mjs';
import { scenario } from '../support/pipeline.mjs';
import { Publisher } from '../support/publisher.mjs';
import { series } from '../support/samples.mjs';
import { eachRecord, putRecords } from '../support/topics.mjs';
import { waitFor } from '../support/wait.mjs';

const FAULT = { code: 'E-TOTAL', detail: 'total is missing', pointer: '/payload/total' };

function esteira(belt, ...args) {
  const options = { env: belt.env, cwd: belt.dir, timeout: 120_000, maxBuffer: 1 << 28 };
  return new Promise((resolve) => {
    execFile(program('esteira'), ['dlq', ...args, '-c', belt.config], options, (error, out, err) =>
      resolve({ code: error ? error.code : 0, out, err }),
    );
  });
}

const objects = (text) => text.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));

// Sends `count` events of which every `nth` is refused; returns those, once they lie in the DLQ.
async function refuse(belt, count, nth) {
  const publisher = new Publisher(belt.url);
  const all = [...series(count, { streams: 8 })];
  const bad = all.filter((_, i) => i % nth === 0);
  const ids = new Set(bad.map((event) => event.id));
  belt.sink.refuses = (event) => (ids.has(event.id) ? FAULT : null);
  await publisher.send(all);
  await belt.delivered(all.filter((event) => !ids.has(event.id)));
  await waitFor('all of them in the DLQ', async () => (await belt.deadLetters()) >= bad.length, {
    within: 30_000,
    every: 200,
  });
  return bad;
}

scenario('list, show, diff', {}, async (belt) => {
  const none = await esteira(belt, 'list');
  assert.equal(none.code, 0, none.err);
  assert.match(none.out, /No dead letter fits/);
  const bad = await refuse(belt, 300, 50);

  const list = objects((await esteira(belt, 'list', '--json')).out);
  assert.deepEqual(list.map((one) => one.id).sort(), bad.map((event) => event.id).sort());
  const [one] = list;
  assert.equal(one.kind, 'dlq_entry');
  assert.deepEqual(
    [one.type, one.topic, one.destination, one.state, one.http_status, one.replay_count, one.writer],
    ['order', belt.topic('order'), 'dashboard', 'open', 422, 0, 'esteira'],
  );
  const people = await esteira(belt, 'list');
  assert.match(people.out, new RegExp(`order +${one.error_class} +422 +open +${bad.length}`));
  assert.match(people.err, /6 dead letters: 6 open, 0 parked, 0 replayed/);

  const count = async (...filters) => objects((await esteira(belt, 'list', '--json', ...filters)).out).length;
  assert.equal(await count('--type', 'order', '--class', one.error_class, '--status', '422'), 6);
  assert.equal(await count('--type', 'message'), 0);
  assert.equal(await count('--class', 'tombstone'), 0);
  assert.equal(await count('--status', '413'), 0);
  assert.equal(await count('--since', '1h'), 6);
  assert.equal(await count('--until', '1h'), 0);
  assert.equal(await count('--state', 'replayed'), 0);
  assert.equal(await count('--id', one.id), 1);
  assert.equal(await count('--count', '2'), 2);
  assert.equal(await count('--topic', belt.deadLetterTopic('order')), 6);
  assert.equal((await esteira(belt, 'list', '--type', 'nonsense')).code, 64);
  assert.equal((await esteira(belt, 'list', '--state', 'nonsense')).code, 64);
  assert.equal((await esteira(belt, 'list', '--topic', 'there.is.none')).code, 1);

  const event = bad.find(({ id }) => id === one.id);
  const show = await esteira(belt, 'show', one.id);
  assert.equal(show.code, 0, show.err);
  assert.match(show.out, /\/payload\/order_id {2}a string, \d+/);
  assert.doesNotMatch(show.out, new RegExp(event.payload.order_id), 'values are not shown');
  const place = `order#${one.dlq_partition}:${one.dlq_offset}`;
  const raw = objects((await esteira(belt, 'show', place, '--raw', '--json')).out)[0];
  assert.equal(raw.event.payload.order_id, event.payload.order_id);
  assert.equal((await esteira(belt, 'show', 'nobody')).code, 1);

  const diff = await esteira(belt, 'diff', one.id);
  assert.equal(diff.code, 0, diff.out + diff.err);
  assert.match(diff.out, /it fits the schema that order has now/);
  assert.equal(objects((await esteira(belt, 'diff', '--type', 'order', '--json')).out).length, 6);
});

const headersOf = (record) => Object.fromEntries(record.headers);
const byId = (records) => new Map(records.map((record) => [headersOf(record).ce_id, record]));
const ADDED = /^(__dlq\.errors\.|esteira-(error-class|http-status|attempts|first-failed-at|failed-at|replay|chain))/;
const own = (record) => record.headers.filter(([name]) => !ADDED.test(name));

scenario('replay: simulated first, then once', {}, async (belt) => {
  const bad = await refuse(belt, 300, 50);
  const source = byId(await belt.records(belt.topic('order')));
  const total = (await belt.counts())[belt.topic('order')];

  const dry = objects((await esteira(belt, 'replay', '--json')).out)[0];
  assert.deepEqual([dry.dry_run, dry.matched, dry.replayed], [true, bad.length, 0]);
  assert.match((await esteira(belt, 'replay', '--yes', '--dry-run')).err, /nothing was sent/);
  assert.equal((await belt.counts())[belt.topic('order')], total, 'nothing was sent');

  belt.sink.refuses = () => null;
  const one = await esteira(belt, 'replay', '--id', bad[0].id, '--yes', '--json');
  assert.equal(one.code, 0, one.err);
  assert.equal(objects(one.out)[0].replayed, 1);
  const rest = objects((await esteira(belt, 'replay', '--yes', '--rate', '0', '--json')).out)[0];
  assert.deepEqual([rest.replayed, rest.already, rest.left], [bad.length - 1, 1, 0]);
  await belt.delivered(bad);
  const none = objects((await esteira(belt, 'replay', '--yes', '--json')).out)[0];
  assert.deepEqual([none.replayed, none.already], [0, bad.length]);
  assert.equal(objects((await esteira(belt, 'list', '--json')).out).length, 0);
  assert.equal(objects((await esteira(belt, 'list', '--json', '--state', 'replayed')).out).length, bad.length);

  const all = await belt.records(belt.topic('order'));
  assert.equal(all.length, total + bad.length);
  const chains = new Map();
  for (const record of all.slice().filter((r) => 'esteira-replay-count' in headersOf(r))) {
    const headers = headersOf(record);
    const before = source.get(headers.ce_id);
    assert.equal(record.key, before.key);
    assert.deepEqual(record.value, before.value);
    assert.equal(record.partition, before.partition);
    assert.deepEqual(own(record), own(before));
    assert.deepEqual(record.headers.length, own(record).length + 3, 'nothing of the DLQ comes along');
    assert.equal(record.timestamp % 1000, 0, 'how a consumer knows whose headers to read');
    assert.equal(headers['esteira-replay-for'], 'dashboard');
    assert.equal(headers['esteira-replay-count'], '1');
    const [boot, epoch, type, partition, n] = headers['esteira-chain'].split('/');
    assert.deepEqual([epoch, type, partition], ['0', 'order', String(record.partition)]);
    assert.notEqual(boot, headersOf(before)['esteira-chain'].split('/')[0]);
    const chain = `${boot}/${partition}`;
    assert.equal(Number(n), chains.get(chain) ?? 0, 'a chain without a gap');
    chains.set(chain, Number(n) + 1);
  }
});

// Each hop replaces what the one before had put on. The last ones are parked.
scenario('replayed over and over: no record grows', {}, async (belt) => {
  const hops = Number(process.env.ESTEIRA_TEST_HOPS ?? 8);
  const [bad] = await refuse(belt, 40, 40);
  const sizes = [];
  for (let hop = 0; hop <= hops; hop++) {
    const dead = await waitFor(
      `dead letter ${hop}`,
      async () => {
        const list = await belt.records(belt.deadLetterTopic('order'));
        return list.length > hop && list;
      },
      { within: 30_000, every: 100 },
    );
    const last = dead.at(-1);
    assert.equal(headersOf(last).ce_id, bad.id);
    assert.equal(headersOf(last)['esteira-replay-count'], String(hop));
    assert.equal(last.key, dead[0].key);
    assert.deepEqual(last.value, dead[0].value);
    assert.deepEqual(own(last), own(dead[0]));
    const names = (record) => record.headers.map(([name]) => name).sort();
    assert.deepEqual(names(last), names(dead[0]), 'the same headers, none twice');
    sizes.push(last.headers.reduce((sum, [name, text]) => sum + name.length + text.length, 0));
    if (hop === hops) break;
    if (hop === 3) {
      const parked = await esteira(belt, 'replay', '--yes', '--json');
      assert.equal(parked.code, 1);
      assert.deepEqual([objects(parked.out)[0].replayed, objects(parked.out)[0].parked], [0, 1]);
      const list = objects((await esteira(belt, 'list', '--json', '--state', 'parked')).out);
      assert.deepEqual([list.length, list[0].replay_count], [1, 3]);
    }
    const answer = await esteira(belt, 'replay', '--yes', '--rate', '0', '--max-replays', '1000', '--json');
    assert.equal(answer.code, 0, answer.out + answer.err);
    assert.equal(objects(answer.out)[0].replayed, 1);
  }
  console.log(`# ${hops} replays: header bytes ${Math.min(...sizes)} to ${Math.max(...sizes)}`);
  assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 32, `header bytes by hop: ${sizes.join(' ')}`);
});

// Key, value and own headers of a record.
const digest = (record) =>
  createHash('sha256')
    .update(JSON.stringify([record.partition, record.key, record.value, own(record)]))
    .digest('hex');

// What lies in the source topic: {before: id → digest, after: id → [digests of what was put back]}.
async function readSource(belt) {
  const [before, after] = [new Map(), new Map()];
  for await (const record of eachRecord(belt.kafka.brokers, belt.topic('order'))) {
    const headers = headersOf(record);
    if (!('esteira-replay-count' in headers)) before.set(headers.ce_id, digest(record));
    else if (after.has(headers.ce_id)) after.get(headers.ce_id).push(digest(record));
    else after.set(headers.ce_id, [digest(record)]);
  }
  return { before, after };
}

// Starts a replay and kills it when `half` records are back in their topic; false: it was too quick.
async function killMidway(belt, rate, total, half) {
  const args = ['dlq', 'replay', '--yes', '--rate', String(rate), '-c', belt.config];
  const child = spawn(program('esteira'), args, { env: belt.env, cwd: belt.dir, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve(signal)));
  await waitFor(
    'half of them back',
    async () => child.exitCode !== null || (await belt.counts())[belt.topic('order')] >= total + half,
    { within: 120_000, every: 50 },
  );
  child.kill('SIGKILL');
  return (await ended) === 'SIGKILL';
}

// ESTEIRA_TEST_DEAD_LETTERS=100000 for the long form. What was acknowledged but not noted yet comes again:
// at most a window and what is noted at once.
const COUNT = Number(process.env.ESTEIRA_TEST_DEAD_LETTERS ?? 3000);
const REPEATS_MAX = 600;
const LONG = { timeout: 240_000 + COUNT * 10 };

scenario('killed in the middle, the same command goes on', LONG, async (belt) => {
  const all = [...series(COUNT, { streams: 50 })];
  belt.sink.refuses = () => FAULT;
  const publisher = new Publisher(belt.url);
  for (let i = 0; i < COUNT; i += 1000) await publisher.send(all.slice(i, i + 1000));
  await waitFor('all of them in the DLQ', async () => (await belt.deadLetters()) >= COUNT, {
    within: 60_000 + COUNT * 5,
    every: 300,
  });
  belt.sink.refuses = () => null;
  const total = (await belt.counts())[belt.topic('order')];
  assert.ok(await killMidway(belt, Math.ceil(COUNT / 3), total, COUNT / 2), 'it was killed');
  const midway = await readSource(belt);
  assert.ok(midway.after.size < COUNT, 'in the middle');

  const rest = await esteira(belt, 'replay', '--yes', '--rate', '0', '--json');
  assert.equal(rest.code, 0, rest.out + rest.err);
  const [{ replayed, already }] = objects(rest.out);
  assert.equal(replayed + already, COUNT);
  assert.ok(already > 0, 'it went on, and did not begin again');
  const { before, after } = await readSource(belt);
  assert.equal(after.size, COUNT, 'every one of them');
  let repeats = 0;
  for (const [id, digests] of after) {
    assert.deepEqual([...new Set(digests)], [before.get(id)]);
    repeats += digests.length - 1;
  }
  assert.ok(repeats <= REPEATS_MAX, `${repeats} put back twice`);
  await belt.delivered(all, { within: 60_000 + COUNT });
  console.log(`# ${COUNT} dead letters: ${already} before the kill, ${replayed} after, ${repeats} twice`);
});

scenario('Kafka dies in the middle', { ownKafka: true }, async (belt) => {
  const count = 1000;
  const all = [...series(count, { streams: 20 })];
  belt.sink.refuses = () => FAULT;
  await new Publisher(belt.url).send(all);
  await waitFor('all of them in the DLQ', async () => (await belt.deadLetters()) >= count, {
    within: 60_000,
    every: 200,
  });
  belt.sink.refuses = () => null;
  const replaying = esteira(belt, 'replay', '--yes', '--rate', '200', '--json');
  await waitFor('some of them back', () => belt.sink.seen.size >= 300, { within: 30_000, every: 20 });
  await belt.kafka.kill();
  const at = Date.now();
  const stopped = await replaying;
  assert.ok(Date.now() - at < 40_000, `it gave up after ${Date.now() - at} ms`);
  assert.equal(stopped.code, 75, stopped.out + stopped.err);
  assert.equal(objects(stopped.out)[0].complete, false);
  await belt.kafka.start();
  const rest = await esteira(belt, 'replay', '--yes', '--rate', '0', '--json');
  assert.equal(rest.code, 0, rest.out + rest.err);
  const [{ replayed, already }] = objects(rest.out);
  assert.equal(replayed + already, count);
  await belt.delivered(all, { within: 90_000 });
});

// Kafka deletes from the head of a partition only, and the command says what that leaves.
scenario('purge: what was replayed, from the head', {}, async (belt) => {
  const bad = await refuse(belt, 300, 30);
  belt.sink.refuses = () => null;
  const list = objects((await esteira(belt, 'list', '--json')).out);
  assert.equal(list.length, bad.length);
  const purge = async (...args) => {
    const { code, out, err } = await esteira(belt, 'purge', '--json', ...args);
    assert.ok(code <= 1, out + err);
    const { dry_run: dry, matched, deleted, left } = objects(out)[0];
    return { code, dry, matched, deleted, left };
  };
  const none = { code: 0, dry: false, matched: 0, deleted: 0, left: 0 };
  assert.deepEqual(await purge('--yes'), none, 'nothing was replayed');

  for (const at of [0, 1, 4]) {
    const { code, err } = await esteira(belt, 'replay', '--id', list[at].id, '--yes');
    assert.equal(code, 0, err);
  }
  assert.deepEqual(await purge(), { code: 1, dry: true, matched: 3, deleted: 0, left: 1 });
  assert.equal(objects((await esteira(belt, 'list', '--state', 'all', '--json')).out).length, bad.length);
  assert.deepEqual(await purge('--yes'), { code: 1, dry: false, matched: 3, deleted: 2, left: 1 });
  const rest = objects((await esteira(belt, 'list', '--state', 'all', '--json')).out);
  assert.deepEqual(rest.map((one) => one.id), list.slice(2).map((one) => one.id));
  assert.equal(rest[2].state, 'replayed', 'what was replayed is still known');
  assert.deepEqual(await purge('--state', 'all', '--yes'), {
    ...none,
    matched: bad.length - 2,
    deleted: bad.length - 2,
  });
  assert.match((await esteira(belt, 'list', '--state', 'all')).out, /No dead letter fits/);
});

// What other programs have written is read too, and put back where they say that it came from; what would
// go round for ever, or came from nowhere, stays.
scenario('dead letters of others', {}, async (belt) => {
  const [good] = await refuse(belt, 1, 1);
  belt.sink.refuses = () => null;
  const [letter] = await belt.records(belt.deadLetterTopic('order'));
  const { key, value } = letter;
  const id = { ce_id: Buffer.from(good.id) };
  const text = (entries) =>
    Object.fromEntries(Object.entries(entries).map(([name, v]) => [name, Buffer.from(v)]));
  const binary = (bytes, n) => {
    const b = Buffer.alloc(bytes);
    b.writeUInt32BE(n, bytes - 4);
    return b;
  };
  const order = belt.topic('order');
  const foreign = belt.deadLetterTopic('message'); // any topic will do
  const connect = text({
    '__connect.errors.topic': order,
    '__connect.errors.partition': '2',
    '__connect.errors.offset': '7',
    '__connect.errors.exception.class.name': 'org.example.DataException',
    '__connect.errors.exception.message': 'ana@example.org',
  });
  const streams = text({
    '__streams.errors.topic': order,
    '__streams.errors.partition': '1',
    '__streams.errors.exception': 'java.lang.RuntimeException',
    '__streams.errors.stack\u001b[2J': 'y\u001b[2Jz',
  });
  const spring = {
    ...text({ 'kafka_dlt-original-topic': order, 'kafka_dlt-exception-fqcn': 'org.example.Refused' }),
    'kafka_dlt-original-partition': binary(4, 1),
    'kafka_dlt-original-offset': binary(8, 9),
  };
  const loop = text({ '__dlq.errors.topic': belt.deadLetterTopic('order') });
  const gone = text({ '__dlq.errors.topic': `${belt.prefix}there.is.none` });
  const put = [connect, streams, spring, loop, gone, {}];
  putRecords(
    belt.kafka.brokers,
    foreign,
    put.map((headers) => ({ key, headers: { ...id, ...headers, 'x-own': Buffer.from('kept') }, value })),
  );

  const list = objects((await esteira(belt, 'list', '--topic', foreign, '--json')).out);
  assert.deepEqual(
    list.map((one) => [one.writer, one.topic, one.partition, one.error_class]),
    [
      ['connect', order, 2, 'org.example.DataException'],
      ['streams', order, 1, 'java.lang.RuntimeException'],
      ['spring', order, 1, 'org.example.Refused'],
      ['esteira', belt.deadLetterTopic('order'), -1, ''],
      ['esteira', `${belt.prefix}there.is.none`, -1, ''],
      ['unknown', '', -1, ''],
    ],
  );
  const show = await esteira(belt, 'show', `${foreign}#0:0`, '--topic', foreign);
  assert.doesNotMatch(show.out, /ana@example/, "another program's message may hold anything");

  const odd = await esteira(belt, 'show', `${foreign}#0:1`, '--topic', foreign, '--raw');
  assert.match(odd.out, /stack\?\[2J: y\?\[2Jz/, 'no byte of theirs steers a terminal');
  assert.ok(!odd.out.includes('\u001b'));

  const replay = await esteira(belt, 'replay', '--topic', foreign, '--yes');
  assert.equal(replay.code, 1, replay.out + replay.err);
  assert.match(replay.out, /3 put back/);
  assert.match(replay.err, /1 left: they came from a DLQ/);
  assert.match(replay.err, /1 left: the topic they came from is not there any more/);
  assert.match(replay.err, /1 left: nothing says which topic/);
  const back = (await belt.records(order)).filter((r) => 'esteira-replay-count' in headersOf(r));
  assert.deepEqual(back.map((r) => r.partition).sort(), [1, 1, 2]);
  for (const record of back) {
    assert.deepEqual(record.value, value);
    assert.deepEqual(Object.keys(headersOf(record)), [
      'ce_id',
      'x-own',
      'esteira-chain',
      'esteira-replay-count',
      'esteira-replay-for',
    ]);
  }
  assert.equal((await belt.counts())[`${belt.prefix}there.is.none`], undefined, 'no topic was made');
});

// A group passes over what was put back for another destination, and commits past it.
scenario('a replay for another destination', {}, async (belt) => {
  const [dead] = await refuse(belt, 1, 1);
  belt.sink.refuses = () => null;
  const [letter] = await belt.records(belt.deadLetterTopic('order'));
  const requests = belt.sink.journal.length;
  putRecords(belt.kafka.brokers, belt.topic('order'), [
    { key: letter.key, headers: { 'esteira-replay-for': Buffer.from('other') }, value: letter.value },
    { key: letter.key, headers: { 'esteira-replay-for': Buffer.from('other') }, value: null },
  ]);
  const next = [...series(50, { streams: 4 })];
  await new Publisher(belt.url).send(next);
  await belt.delivered(next);
  assert.ok(!belt.sink.seen.has(dead.id), 'not for us');
  assert.equal(belt.sink.journal.length - requests, next.length);
  assert.equal(await belt.deadLetters(), 1, 'the tombstone was not for us either');
  putRecords(belt.kafka.brokers, belt.topic('order'), [
    { key: letter.key, headers: { 'esteira-replay-for': Buffer.from('dashboard') }, value: letter.value },
  ]);
  await waitFor('the one that is', () => belt.sink.seen.has(dead.id), { within: 20_000, every: 50 });
});
