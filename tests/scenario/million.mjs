#!/usr/bin/env node
// Goal: N events of about 500 bytes through POST /v1/events (NDJSON, batches of 500) and out to a
// dashboard: none lost, order per key kept. By hand:
//
//   node tests/scenario/million.mjs 1000000
//
// Prints one JSON line; exits 1 when an event is lost or out of order.

import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { request } from '../support/http.mjs';
import { Pipeline } from '../support/pipeline.mjs';
import { waitFor } from '../support/wait.mjs';

const BATCH = 500;
const KEYS = 1000;
const SENDERS = 4; // each owns a share of the keys, so that no key has two senders

const FILL = 'Olá 👋 este texto enche o evento até uns 500 bytes. '.repeat(6);

const line = (key, n) =>
  `{"id":"${key}-${n}","event":"order_update","source":"carga","payload":{"order_id":"pedido-${key}",` +
  `"status":"shipped","n":${n},"key":${key},"notes":"${FILL}"}}`;

// Follows what arrives without keeping it: the n of each key must come as 1, 2, 3 …
export class Follower {
  constructor() {
    this.next = new Int32Array(KEYS).fill(1);
    this.delivered = 0;
    this.duplicates = 0;
    this.disordered = 0;
  }

  take({ payload: { key, n } }) {
    if (n < this.next[key]) {
      this.duplicates++;
    } else {
      if (n > this.next[key]) this.disordered++; // a gap: one is missing or still to come
      this.next[key] = n + 1;
      this.delivered++;
    }
  }
}

async function sendShare(belt, sender, count) {
  const mine = Array.from({ length: KEYS / SENDERS }, (_, i) => i * SENDERS + sender);
  let bytes = 0;
  for (let sent = 0; sent < count; sent += BATCH) {
    const lines = [];
    for (let i = sent; i < Math.min(sent + BATCH, count); i++) {
      lines.push(line(mine[i % mine.length], Math.floor(i / mine.length) + 1));
    }
    const body = lines.join('\n');
    bytes += Buffer.byteLength(body);
    await repeat(belt, body);
  }
  return bytes;
}

async function repeat(belt, body) {
  const headers = { 'content-type': 'application/x-ndjson', prefer: 'return=minimal' };
  await waitFor(
    'a batch is accepted',
    async () => {
      const answer = await request(belt.url, 'POST', '/v1/events', { headers, body }).catch(
        () => null,
      );
      return answer?.status === 202;
    },
    { within: 120_000 },
  );
}

export async function carry(belt, total) {
  const follower = new Follower();
  belt.sink.record = false;
  belt.sink.onTake = (event) => follower.take(event);
  const start = performance.now();
  const share = total / SENDERS;
  const bytes = await Promise.all(
    Array.from({ length: SENDERS }, (_, s) => sendShare(belt, s, share)),
  );
  const accepted = performance.now();
  await waitFor(
    () => `${follower.delivered} of ${total} delivered`,
    () => follower.delivered >= total,
    { within: 120_000 + total / 5, every: 50 },
  );
  const { delivered, duplicates, disordered } = follower;
  return {
    sent: total,
    delivered,
    duplicates,
    lost: total - delivered,
    disordered,
    bytes_per_event: Math.round(bytes.reduce((a, b) => a + b) / total),
    accept_rate: Math.round(total / ((accepted - start) / 1000)),
    deliver_rate: Math.round(total / ((performance.now() - start) / 1000)),
  };
}

async function main(total) {
  const belt = new Pipeline();
  let sum;
  try {
    await belt.start({ consumers: 2 });
    sum = await carry(belt, total);
    console.log(JSON.stringify(sum));
  } finally {
    await belt.end(sum !== undefined);
  }
  process.exitCode = sum.lost === 0 && sum.disordered === 0 ? 0 : 1;
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const total = Number(process.argv[2] ?? 1_000_000);
  if (!Number.isInteger(total) || total <= 0 || total % (BATCH * SENDERS) !== 0) {
    console.error(`usage: million.mjs N   (a multiple of ${BATCH * SENDERS})`);
    process.exitCode = 64;
  } else {
    await main(total);
  }
}
