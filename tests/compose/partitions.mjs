// Partitions made more, 8 to 16, while events flow: nothing is lost. Keys move to other partitions then, so
// while older records wait, newer ones of the same key may come before them: counted here, and told in the
// documents.

import { promises, round, together, verdict } from '../chaos/verdict.mjs';
import { waitFor } from '../support/wait.mjs';
import { count, countNoMore } from './planned.mjs';

const grown = (stack) => stack.logged(['shim', 'shim-2'], 'partitions');

export async function grownUnderLoad({ stack }) {
  const counter = await count(stack, {});
  try {
    const loads = stack.bots(3, { rate: 400, batch: 5, lanes: 12, events: 'order_update', patience: 120 });
    const more = (n) => Promise.all(loads.map((load) => load.more(n)));
    await more(1000);
    stack.set({ ESTEIRA_TYPES_ORDER_PARTITIONS: 16 });
    const start = performance.now();
    const env = ['-e', 'ESTEIRA_TYPES_ORDER_PARTITIONS=16'];
    await stack.compose('run', '--rm', '-T', ...env, 'esteira', 'topics', 'apply', '--grow');
    await waitFor(
      'both shims see 16 partitions',
      async () => (await grown(stack)).filter((line) => line.includes('"partitions":16')).length >= 2,
      { within: 120_000, every: 1000 },
    );
    const seen = (performance.now() - start) / 1000;
    await more(4000);
    const sum = together(await Promise.all(loads.map((load) => load.stop())));
    await waitFor(() => `${counter.distinct} of ${sum.accepted}`, () => counter.distinct >= sum.accepted, {
      within: 60_000,
    });
    const topics = await stack.topics();
    const figures = {
      ...sum,
      ...topics,
        duplicates: counter.duplicates,
      key_inversions: counter.disordered,
      inversions: 0,
      delivered: counter.distinct,
      lost: sum.accepted - counter.distinct + topics.lost,
      seen_s: round(seen, 0),
    };
    return verdict(figures, promises(figures));
  } finally {
    await countNoMore(stack, counter);
  }
}
