// How fast events go out, beside the bare limit of the same machine in the same run: one JSON line a
// setting. The bare loop consumes, splices a hundred values into a body and posts it, one request at a time
// for each partition; ours decodes Avro, keeps order by key, reads the answer of each event and commits.

import fs from 'node:fs';
import path from 'node:path';
import {
  Bench,
  EVENT,
  ROOT,
  ROUNDS,
  TOKEN,
  answers,
  cpuSeconds,
  freePorts,
  median,
  request,
  round,
  rssMb,
  stop,
  waitFor,
} from './measure.mjs';

const EVENTS = Number(process.env.ESTEIRA_BENCH_EVENTS ?? 400_000);
const BATCH = 100;
const KEYS = 5000;
const TOPIC = 'esteira.order';

// The backlog: orders of many customers, through the shim.
async function fill(shim) {
  const order = JSON.parse(EVENT);
  for (let sent = 0; sent < EVENTS; sent += 1000) {
    const lines = Array.from({ length: 1000 }, (_, i) => {
      order.payload.order_id = String((sent + i) % KEYS);
      return JSON.stringify(order);
    });
    const reply = await request(`http://127.0.0.1:${shim.port}`, 'POST', '/v1/events', {
      headers: {
        'content-type': 'application/x-ndjson',
        authorization: `Bearer ${TOKEN}`,
        prefer: 'return=minimal',
      },
      body: lines.join('\n'),
    });
    if (reply.status !== 202) throw new Error(`the backlog was refused: ${reply.status} ${reply.text}`);
  }
}

const stats = async (port, method = 'GET') =>
  (await request(`http://127.0.0.1:${port}`, method, '/stats')).json;

// Each round is a group of its own, so each reads the whole backlog.
async function ours(bench, sink, name) {
  const [ops] = await freePorts(1);
  const file = path.join(bench.dir, `${name}.yaml`);
  const text = `destinations:\n  ${name}:\n    url: http://127.0.0.1:${sink}\n    batch_count: ${BATCH}\n`;
  fs.writeFileSync(file, `${text}types:\n${types()}`);
  const child = bench.start('esteira-consumer', ['-c', file], {
    ESTEIRA_KAFKA_BROKERS: bench.kafka.brokers,
    ESTEIRA_CONSUMER_OPS_LISTEN: `127.0.0.1:${ops}`,
  });
  await answers(ops, '/healthz');
  await waitFor('all are delivered', async () => (await stats(sink)).events >= EVENTS, {
    within: 300_000,
  });
  const result = { cpu: cpuSeconds(child.pid), rss: rssMb(child.pid) };
  await stop(child);
  return result;
}

// Only the schema of the type that is read here matters; the shipped ones are found beside pipeline.yaml.
function types() {
  const names = fs.readdirSync(path.join(ROOT, 'schemas')).filter((f) => f.endsWith('.avsc'));
  return names
    .map((f) => `  ${f.slice(0, -5)}:\n    schema: ${path.join(ROOT, 'schemas', f)}\n`)
    .join('');
}

async function theirs(bench, sink, name) {
  const url = `http://127.0.0.1:${sink}/`;
  const args = [bench.kafka.brokers, `bare-${name}`, TOPIC, url, String(EVENTS)];
  const child = bench.start('bench_bare_deliver', args);
  let cpu = 0;
  await new Promise((resolve, reject) => {
    const look = setInterval(() => {
      try {
        cpu = cpuSeconds(child.pid);
      } catch {} // it has just ended
    }, 20);
    child.once('exit', (code) => {
      clearInterval(look);
      code === 0 ? resolve() : reject(new Error(`the bare loop ended with ${code}`));
    });
  });
  return { cpu, rss: 0 };
}

async function measured(sink, who) {
  await stats(sink, 'DELETE');
  const result = await who();
  const { us } = await stats(sink);
  return { rate: (EVENTS * 1e6) / us, cpu: (result.cpu * 1e5) / EVENTS, rss: result.rss };
}

const bench = await Bench.open();
try {
  const shim = await bench.shim();
  await fill(shim);
  await stop(shim.child);
  const [sink] = await freePorts(1);
  bench.start('bench_sink', [String(sink)]);
  await answers(sink, '/stats');
  const runs = { ours: [], theirs: [] };
  for (let i = 0; i < ROUNDS; i++) {
    runs.ours.push(await measured(sink, () => ours(bench, sink, `round${i}`)));
    runs.theirs.push(await measured(sink, () => theirs(bench, sink, `round${i}`)));
  }
  const of = (who, key) => median(runs[who].map((r) => r[key]));
  const line = {
    job: 'deliver',
    conns: 8,
    batch: BATCH,
    rate: round(of('ours', 'rate'), 0),
    bare_rate: round(of('theirs', 'rate'), 0),
    ratio_rate: round(of('ours', 'rate') / of('theirs', 'rate')),
    cpu_s_100k: round(of('ours', 'cpu')),
    bare_cpu_s_100k: round(of('theirs', 'cpu')),
    ratio_cpu: round(of('ours', 'cpu') / of('theirs', 'cpu')),
    p50_ms: null, // a backlog has no latency worth a figure
    p99_ms: null,
    rss_mb: round(of('ours', 'rss'), 1),
  };
  console.log(JSON.stringify(line));
} finally {
  await bench.end();
}
