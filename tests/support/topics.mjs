// What lies in Kafka, read and written past our own programs by tests/support/topic_dump, topic_put and topic_drop.

import { execFile, execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { program } from './paths.mjs';

const run = promisify(execFile);

async function lines(...args) {
  const { stdout } = await run(program('topic_dump'), args, {
    timeout: 60_000,
    maxBuffer: 1 << 28,
  });
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

// {topic: number of records} of all topics whose name begins so.
export async function recordCounts(brokers, prefix) {
  return Object.fromEntries(
    (await lines('count', brokers, prefix)).map(({ topic, records }) => [topic, records]),
  );
}

// [{partition, offset, timestamp, key, headers: [[name, value]], value (Buffer or null)}]
// A mark is no event, but a shim's word that its chain goes so far.
export const isMark = (r) => r.value === null && r.headers.some(([name]) => name === 'esteira-mark');

export async function records(brokers, topic) {
  const all = (await lines('read', brokers, topic)).filter((r) => !isMark(r));
  return all.map((r) => ({ ...r, value: r.value === null ? null : Buffer.from(r.value, 'hex') }));
}

// The same one by one, for topics that are larger than memory likes.
export async function* eachRecord(brokers, topic) {
  const child = spawn(program('topic_dump'), ['read', brokers, topic], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line);
  if ((await ended) !== 0) throw new Error(`topic_dump read ${topic} failed`);
}

export function dropTopic(brokers, topic) {
  execFileSync(program('topic_drop'), [brokers, topic], { timeout: 60_000 });
}

// Records as a foreign program writes them, into partition 0: [{key, headers: {name: Buffer}, header: the
// value of __value_schema_id, value: Buffer or null}].
export function putRecords(brokers, topic, list) {
  const input = list.map(({ key, header, headers = {}, value }) => {
    const all = header ? { ...headers, __value_schema_id: header } : headers;
    const pairs = Object.entries(all).map(([name, bytes]) => `${name}=${bytes.toString('hex')}`);
    return `${key} ${pairs.join(',') || '-'} ${value ? value.toString('hex') : '~'}\n`;
  });
  execFileSync(program('topic_put'), [brokers, topic], { input: input.join(''), timeout: 60_000 });
}
