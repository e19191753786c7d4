// ./run demo --once [N]: N events through a fresh belt, headless; the answer is one line and the exit code.

import { Account } from './count.mjs';
import { day } from './samples.mjs';
import { Sender } from './send.mjs';
import { setTimeout as pause } from 'node:timers/promises';

const SINGLE_PART = 10; // every tenth event goes in a request of its own
const BATCH = 100;
const SENDERS = 4;
const PATIENCE_MS = 60_000; // without any progress

// Some one by one, the others in batches, on several connections.
async function sendAll(sender, events) {
  const requests = [];
  const singles = events.filter((_, i) => i % SINGLE_PART === 0);
  const others = events.filter((_, i) => i % SINGLE_PART !== 0);
  for (const event of singles) requests.push(() => sender.one(event));
  for (let i = 0; i < others.length; i += BATCH) {
    requests.push(() => sender.batch(others.slice(i, i + BATCH)));
  }
  const work = async () => {
    for (let send = requests.pop(); send; send = requests.pop()) await send();
  };
  await Promise.all(Array.from({ length: SENDERS }, work));
}

async function arrived(account, n) {
  let last = -1;
  let since = Date.now();
  for (;;) {
    await account.look();
    const { delivered } = account.sum();
    if (delivered >= n || Date.now() - since > PATIENCE_MS) return;
    if (delivered !== last) [last, since] = [delivered, Date.now()];
    await pause(100);
  }
}

export async function once(belt, n, print) {
  const next = day();
  const sender = new Sender(belt);
  const account = new Account(belt, sender);
  await sendAll(sender, Array.from({ length: n }, next));
  await arrived(account, n);
  const { delivered } = account.sum();
  const lost = n - delivered;
  print(`sent ${n} delivered ${delivered} duplicates ${account.duplicates} lost ${lost}`);
  return lost === 0 ? 0 : 1;
}
