// Planned changes under load, with a receiver that counts: more and fewer consumers, a rolling update of all
// services, and one to an image that does not work. Nothing is lost, and nothing is delivered twice but what
// lies in Kafka twice (a shim that waited too long for an acknowledgement has sent it once more).

import { promises, round, together, verdict } from '../chaos/verdict.mjs';
import { waitFor } from '../support/wait.mjs';
import { Counter } from './counter.mjs';
import { NETWORK } from './stack.mjs';

const EVENTS = 'order_update,new_message';
const BROKEN = 'FROM esteira:local\nENTRYPOINT ["/bin/false"]\n';

// The consumers deliver to a counter on this machine, which the containers see as their gateway.
export async function count(stack, options) {
  const format = '{{(index .IPAM.Config 0).Gateway}}';
  const gateway = (await stack.docker('network', 'inspect', NETWORK, '-f', format)).trim();
  const counter = await new Counter({ token: stack.secret('dashboard_token'), ...options }).start(gateway);
  stack.set({ DASHBOARD_URL: counter.url, DASHBOARD_CA_FILE: '' });
  try {
    await stack.compose('up', '-d', '--no-deps', '--wait', 'consumer');
  } catch (err) {
    await countNoMore(stack, counter);
    throw err;
  }
  return counter;
}

export async function countNoMore(stack, counter) {
  delete stack.env.DASHBOARD_URL;
  delete stack.env.DASHBOARD_CA_FILE;
  stack.set({});
  await counter.stop();
}

export const scale = (stack, n) =>
  stack.compose('up', '-d', '--no-deps', '--no-recreate', '--wait', '--scale', `consumer=${n}`, 'consumer');

async function update(stack, services, env = {}) {
  const how = { env: { SETTLE: '2', PATIENCE: '90', ...env }, timeout: 900_000 };
  const start = performance.now();
  const code = await stack.exec('deploy/rolling-update', services, how).then(
    () => 0,
    (err) => {
      console.error(err.stderr);
      return err.code;
    },
  );
  return { code, seconds: (performance.now() - start) / 1000 };
}

async function broken(stack) {
  const good = await stack.inspect(await stack.container('consumer'), '{{.Image}}');
  const file = `${stack.dir}/broken`;
  await stack.exec('sh', ['-c', `printf '${BROKEN.replaceAll('\n', '\\n')}' | docker build -q -t esteira:broken -`]);
  stack.set({ ESTEIRA_IMAGE: 'esteira:broken' });
  const services = ['shim-2', 'consumer'];
  const codes = [];
  for (const service of services) codes.push((await update(stack, [service], { PATIENCE: '20' })).code);
  delete stack.env.ESTEIRA_IMAGE;
  stack.set({});
  const now = [];
  for (const service of services) {
    for (const container of await stack.containers(service)) now.push(await stack.inspect(container, '{{.Image}}'));
  }
  await stack.healthy();
  return { codes, back: now.length > 1 && now.every((image) => image === good), file };
}

// How many events lie in Kafka twice, of all that this belt has had; its bots have all ended.
const twice = async (stack) => (stack.loads.length > 0 ? (await stack.topics()).duplicates : 0);

// What became of the events of three bots that send while `change` goes on.
async function underLoad(stack, counter, rate, change) {
  const before = { twice: await twice(stack), distinct: counter.distinct, duplicates: counter.duplicates };
  const loads = stack.bots(3, { rate, batch: 5, lanes: 12, events: EVENTS, patience: 120 });
  const more = (n) => Promise.all(loads.map((load) => load.more(n, { within: 90_000 })));
  await more(200);
  const seen = await change(more);
  await more(200);
  const sum = together(await Promise.all(loads.map((load) => load.stop())));
  const arrived = () => counter.distinct - before.distinct;
  await waitFor(() => `${arrived()} of ${sum.accepted}`, () => arrived() >= sum.accepted, { within: 60_000 });
  return {
    seen,
    sum,
    delivered: arrived(),
    duplicates: counter.duplicates - before.duplicates,
    twice: (await twice(stack)) - before.twice,
  };
}

export async function planned({ stack, short }) {
  const counter = await count(stack, {});
  const rate = short ? 200 : 500;
  try {
    const scaling = await underLoad(stack, counter, rate, async (more) => {
      for (const n of [1, 4, 2]) {
        await scale(stack, n);
        await more(300);
      }
    });
    const updating = await underLoad(stack, counter, rate, async (more) => {
      const rolled = await update(stack, short ? ['shim', 'shim-2', 'consumer'] : []);
      await more(200);
      return { rolled, bad: await broken(stack) };
    });
    const { rolled, bad } = updating.seen;
    const sum = together([scaling.sum, updating.sum]);
    const delivered = scaling.delivered + updating.delivered;
    const topics = await stack.topics();
    const figures = {
      ...topics, // of all events that this belt has had
      ...sum,
      records_twice: { scaling: scaling.twice, updating: updating.twice },
      duplicates: scaling.duplicates + updating.duplicates,
      duplicates_scaling: scaling.duplicates,
      key_inversions: topics.inversions,
      inversions: topics.boot_inversions,
      delivered,
      lost: sum.accepted - delivered + topics.lost,
      rolled_s: round(rolled.seconds, 0),
    };
    return verdict(figures, {
      ...promises(figures),
      'nothing left unanswered': sum.refused + sum.unknown === 0,
      'scaling: nothing delivered twice but what lies in Kafka twice': scaling.duplicates <= scaling.twice,
      'updating: nothing delivered twice but what lies in Kafka twice': updating.duplicates <= updating.twice,
      'the update went through': rolled.code === 0,
      'a broken image is refused': bad.codes.every((code) => code === 1),
      'and what ran before runs again': bad.back,
    });
  } finally {
    await countNoMore(stack, counter);
  }
}
