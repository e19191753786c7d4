// The same backlog for 1, 2 and 4 consumers, and a receiver that takes 50 ms for each request: how fast, and
// with how much of the processor.

import fs from 'node:fs';
import { promises, round, verdict } from '../chaos/verdict.mjs';
import { waitFor } from '../support/wait.mjs';
import { count, countNoMore, scale } from './planned.mjs';

const BACKLOG = 60_000;
const TYPES = 'order_update,new_message,user_update,payment_update';

// Seconds of processor that the consumers have used since they were started, by their processes' times.
async function used(stack) {
  let ticks = 0;
  for (const container of await stack.containers('consumer')) {
    const top = await stack.docker('top', container, '-o', 'pid');
    for (const pid of top.trim().split('\n').slice(1)) {
      const stat = fs.readFileSync(`/proc/${pid.trim()}/stat`, 'utf8').split(') ')[1].split(' ');
      ticks += Number(stat[11]) + Number(stat[12]);
    }
  }
  return ticks / 100;
}

async function deliver(stack, n) {
  const counter = await count(stack, { delay: 50 });
  try {
    await stack.compose('stop', 'consumer');
    const load = stack.load({ rate: 0, batch: 100, lanes: 64, keys: 16, events: TYPES, count: BACKLOG });
    const end = await load.done;
    counter.keys = 16;
    await scale(stack, 0);
    await scale(stack, n);
    await waitFor(() => `${counter.distinct} of ${end.accepted}`, () => counter.distinct >= end.accepted, {
      within: 300_000,
      every: 5,
    });
    return {
      members: n,
      accepted: end.accepted,
      lost: end.accepted - counter.distinct,
      duplicates: counter.duplicates,
      per_s: Math.round((1000 * end.accepted) / (counter.lastAt - counter.firstAt)),
      cpu_us: round(((await used(stack)) * 1e6) / end.accepted, 1),
    };
  } finally {
    await countNoMore(stack, counter);
  }
}

export async function shared({ stack }) {
  const runs = [];
  for (const n of [1, 2, 4]) runs.push(await deliver(stack, n));
  await scale(stack, 2);
  const best = Math.max(...runs.map((run) => run.per_s));
  const lost = runs.reduce((sum, run) => sum + run.lost, 0);
  const duplicates = runs.reduce((sum, run) => sum + run.duplicates, 0);
  const figures = { runs, lost, duplicates, dlq: 0, inversions: 0 };
  return verdict(figures, {
    ...promises(figures),
    'no duplicate': duplicates === 0,
    'four are not slower than fewer': runs.at(-1).per_s >= 0.9 * best,
  });
}
