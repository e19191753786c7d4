// The belt of docker-compose.ha.yml while containers of it die, one of every kind in turn, and while Kafka's
// quorum and the Redis master are away at the same time. Bots post through HAProxy the whole time.

import { promises, round, together, verdict } from '../chaos/verdict.mjs';
import { pause, waitFor } from '../support/wait.mjs';

const KINDS = ['kafka-2', 'redis', 'sentinel-1', 'shim', 'consumer', 'dashboard', 'haproxy'];
const EVENTS = 'order_update,new_message,user_update';

// The process dies; the restart policy brings it back.
async function dies(stack, service) {
  const container = await stack.container(service);
  const restarts = async () => Number(await stack.inspect(container, '{{.RestartCount}}'));
  const before = await restarts();
  await stack.killProcess(container);
  await waitFor(`${service} is started again`, async () => (await restarts()) > before, { within: 60_000, every: 100 });
  return ['died', service, round(await stack.healthy(), 1)];
}

// The container is away for so long.
async function away(stack, service, seconds) {
  const container = await stack.container(service);
  await stack.docker('kill', container);
  await pause(seconds * 1000);
  await stack.docker('start', container);
  return [`away ${seconds} s`, service, round(await stack.healthy(), 1)];
}

async function master(stack) {
  const ask = ['valkey-cli', '-p', '26379', 'sentinel', 'get-master-addr-by-name', 'esteira'];
  return (await stack.compose('exec', '-T', 'sentinel-1', ...ask)).split('\n')[0].trim();
}

// Two of three brokers are gone, and then the Redis master, while everything new has to go to Redis.
async function noQuorum(stack, seconds) {
  const states = async () => (await stack.logged(['shim', 'shim-2'], 'buffer_state')).length;
  const before = await states();
  const brokers = await Promise.all(['kafka-2', 'kafka-3'].map((name) => stack.container(name)));
  await stack.docker('kill', ...brokers);
  await waitFor('Redis is used', async () => (await states()) > before, { within: 30_000, every: 500 });
  const old = await master(stack);
  const container = await stack.container(old);
  await stack.docker('kill', container);
  await waitFor('another master', async () => (await master(stack).catch(() => old)) !== old, {
    within: 60_000,
    every: 300,
  });
  await pause(seconds * 1000);
  await stack.docker('start', container);
  await stack.docker('start', ...brokers);
  return [`no quorum and no ${old} ${seconds} s`, 'kafka', round(await stack.healthy(), 1)];
}

async function faults(stack, short, loads) {
  const seen = [];
  const more = async (n = 100) => Promise.all(loads.map((load) => load.more(n, { within: 90_000 })));
  const note = async (fault) => {
    seen.push(await fault);
    console.error(`  ${seen.at(-1).join(' · ')}`);
    await more();
  };
  for (const service of KINDS) await note(dies(stack, service));
  for (const service of short ? ['consumer'] : KINDS) await note(away(stack, service, short ? 5 : 20));
  await note(noQuorum(stack, short ? 5 : 30));
  return seen;
}

export async function deaths({ stack, short }) {
  const before = await stack.shown();
  const enough = short ? 200 : 50_000; // of each bot; they send until the last fault is over
  const rate = short ? 100 : 250;
  const loads = stack.bots(4, { rate, batch: 5, lanes: 12, events: EVENTS, patience: 120 });
  await Promise.all(loads.map((load) => load.accepted(200)));
  const start = performance.now();
  const seen = await faults(stack, short, loads);
  const took = (performance.now() - start) / 1000;
  await Promise.all(loads.map((load) => load.accepted(enough, { within: 300_000 })));
  const ends = await Promise.all(loads.map((load) => load.stop()));
  const sum = together(ends);
  const shown = (await stack.waitShown(before + sum.accepted, { within: 180_000 })) - before;
  const topics = await stack.topics();
  const missing = await stack.missing();
  const figures = {
    faults: seen.length,
    ...sum,
    ...topics,
    shown,
    missing,
    key_inversions: topics.inversions,
    inversions: topics.boot_inversions,
    recovery_s_max: Math.max(...seen.map(([, , s]) => s)),
    memory: await stack.memory(),
    under_fire_s: round(took, 0),
    healed_s: Object.fromEntries(seen.map(([what, service, s]) => [`${service} ${what}`, s])),
  };
  return verdict(figures, {
    ...promises(figures),
    'nothing left unanswered': sum.refused + sum.unknown === 0,
    'each is on the page, and nothing else': shown === sum.sent,
    'Redis lost nothing': missing === 0,
    'all chains are whole': figures.holes === 0,
  });
}
