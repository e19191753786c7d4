// What delivery costs: memory while the dashboard is away, and CPU. That is measured beside the bare loop
// (bench/bare_deliver.c) on as many events of the same topic in the same run, which consumes, splices a hundred
// values into a body, posts it, and nothing else. What is promised is a number of seconds; but those belong to one
// machine on one day, and how many times the bare loop's they are does not.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { request } from '../support/http.mjs';
import { program } from '../support/paths.mjs';
import { freePorts } from '../support/ports.mjs';
import { pause, waitFor } from '../support/wait.mjs';
import { onRig } from './delivery_rig.mjs';
import { promises, round, verdict } from './verdict.mjs';

const TYPES = 'order_update,new_message,payment_update,user_update';
const few = (short) => (short ? { partitions: 2 } : {});

// --- memory ---

const RSS_MB = 64;

const rssMb = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

// The dashboard is away while events keep coming: what the consumer keeps of them in memory.
export const memory = ({ kafka, short }) =>
  onRig({ kafka, ...few(short) }, async (rig) => {
    const minutes = short ? 0.15 : 30;
    const rate = short ? 2000 : 5000;
    const { pid } = rig.consumers[0].child;
    await rig.warmUp(TYPES);
    await rig.receiver.script({ down: true });
    const load = rig.load({ rate, batch: 50, lanes: 16, keys: 64, bytes: 300, events: TYPES });
    const seen = [];
    for (const end = performance.now() + minutes * 60_000; performance.now() < end; ) {
      seen.push(rssMb(pid));
      await pause(short ? 200 : 1000);
    }
    await load.stop();
    const back = performance.now();
    await rig.receiver.script({});
    await rig.arrived(rig.loads, { within: 600_000 });
    const after = rssMb(pid);
    const figures = {
      faults: 1,
      ...(await rig.figures()),
      catch_up_s: round((performance.now() - back) / 1000, 1),
      rss_mb_max: round(Math.max(...seen), 1),
      rss_mb_after: round(after, 1),
      away_min: minutes,
    };
    return verdict(figures, {
      ...promises(figures),
      'nothing twice': figures.duplicates === 0,
      [`RSS at most ${RSS_MB} MB and a tenth`]: Math.max(after, ...seen) <= RSS_MB * 1.1,
    });
  });

// --- CPU ---

const CPU_S = 0.2; // per 100,000 events

// User and system seconds of a process so far; behind the name, which may hold spaces.
function cpuSeconds(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100; // USER_HZ
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

// One life of the consumer, from its start to the last event of a backlog that it finds.
async function oneBacklog(rig, shape) {
  const [consumer] = rig.consumers;
  await consumer.stop();
  await rig.load({ ...shape, patience: 300 }).done;
  await consumer.start();
  await rig.arrived(rig.loads, { within: 300_000 });
  return (cpuSeconds(consumer.child.pid) * 1e5) / shape.count;
}

// A program of ours for as long as `body` takes.
async function during(name, args, body) {
  const child = spawn(program(name), args, { stdio: 'ignore' });
  const ended = new Promise((resolve) => {
    child.once('error', (err) => resolve(err.message));
    child.once('exit', (code) => resolve(code));
  });
  try {
    return await body(child, ended);
  } finally {
    child.kill('SIGKILL');
  }
}

// The bare loop's receiver, which only answers.
async function withSink(body) {
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  return during('bench_sink', [String(port)], async () => {
    await waitFor('the bare loop has a receiver', async () =>
      request(url, 'GET', '/stats').then((answer) => answer.status === 200, () => false),
    );
    return body(`${url}/`);
  });
}

// The bare loop over as many events of the topic, from its beginning.
async function oneBare(rig, url, { tag, count }) {
  const args = [rig.kafka.brokers, `${rig.prefix}bare-${tag}`, `${rig.prefix}order`, url, String(count)];
  return during('bench_bare_deliver', args, async (child, ended) => {
    let cpu = 0;
    let how;
    ended.then((code) => (how = code));
    await waitFor('the bare loop ends', () => {
      try {
        cpu = cpuSeconds(child.pid);
      } catch {} // it has just ended
      return how !== undefined;
    }, { within: 120_000 });
    if (how !== 0) throw new Error(`the bare loop ended with ${how}`);
    return (cpu * 1e5) / count;
  });
}

// Backlogs in batches of 100. Three, of which the median counts: while a Kafka is young, it compiles itself
// on the same cores.
export const cpu = ({ kafka, short }) =>
  onRig({ kafka, ...few(short) }, async (rig) => {
    const count = short ? 20_000 : 400_000;
    const shape = { count, batch: 500, lanes: 16, keys: 300, bytes: 500, events: 'order_update' };
    const [consumer] = rig.consumers;
    const runs = [];
    const bare = [];
    await rig.warmUp('order_update');
    await withSink(async (url) => {
      for (const tag of ['a', 'b', 'c']) {
        runs.push(await oneBacklog(rig, { ...shape, tag }));
        bare.push(await oneBare(rig, url, { tag, count }));
      }
    });
    const figures = {
      faults: 0,
      ...(await rig.figures()),
      cpu_s_100k: round(median(runs), 3),
      bare_cpu_s_100k: round(median(bare), 3),
      ratio_cpu: round(median(runs.map((s, i) => s / bare[i])), 2),
      cpu_s_runs: runs.map((s) => round(s, 3)),
      bare_cpu_s_runs: bare.map((s) => round(s, 3)),
      rss_mb: round(rssMb(consumer.child.pid), 1),
    };
    return verdict(figures, {
      ...promises(figures),
      'nothing twice': figures.duplicates === 0,
      [`at most ${CPU_S} CPU-seconds per 100,000 events`]: short || figures.cpu_s_100k <= CPU_S,
    });
  });
