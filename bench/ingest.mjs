// How fast events come in, beside the bare limit of the same machine in the same run: one JSON line a
// setting. The bare loop takes the POST, produces it with headers as long as ours, and answers 202 on the
// broker's acknowledgement; ours checks JSON, writes Avro, asks for a token and keeps metrics besides.
// For batches the bare figure is that of one event a request at 64 connections.

import { Bench, EVENT, ROUNDS, cpuSeconds, freePorts, median, round, rssMb, wrk } from './measure.mjs';

const JSON_TYPE = 'application/json';
const LINES = 'application/x-ndjson';
const SETTINGS = [
  { conns: 64, batch: 1 },
  { conns: 256, batch: 1 },
  { conns: 8, batch: 500 },
];

async function once(bench, who, { conns, batch }) {
  const before = cpuSeconds(who.pid);
  const body = batch === 1 ? EVENT : `${EVENT}\n`.repeat(batch);
  const type = batch === 1 ? JSON_TYPE : LINES;
  const result = await wrk({ ...who, conns, body, type, dir: bench.dir });
  const events = result.requests * batch;
  return {
    ...result,
    rate: result.rate * batch,
    cpu: ((cpuSeconds(who.pid) - before) * 1e5) / events,
  };
}

async function setting(bench, shim, bare, s) {
  const ours = [];
  const theirs = [];
  for (let i = 0; i < ROUNDS; i++) {
    ours.push(await once(bench, shim, s));
    theirs.push(await once(bench, bare, s.batch === 1 ? s : { conns: 64, batch: 1 }));
  }
  const of = (runs, key) => median(runs.map((r) => r[key]));
  const line = {
    job: 'ingest',
    ...s,
    rate: round(of(ours, 'rate'), 0),
    bare_rate: round(of(theirs, 'rate'), 0),
    ratio_rate: round(of(ours, 'rate') / of(theirs, 'rate')),
    cpu_s_100k: round(of(ours, 'cpu')),
    bare_cpu_s_100k: round(of(theirs, 'cpu')),
    ratio_cpu: round(of(ours, 'cpu') / of(theirs, 'cpu')),
    p50_ms: round(of(ours, 'p50'), 2),
    p99_ms: round(of(ours, 'p99'), 2),
    rss_mb: round(rssMb(shim.pid), 1),
  };
  console.log(JSON.stringify(line));
}

const bench = await Bench.open();
try {
  const shim = await bench.shim();
  const [port] = await freePorts(1);
  const topic = 'esteira.order'; // the shim's own: the same partitions
  const linger = '2'; // kafka.linger of pipeline.yaml
  const child = bench.start('bench_bare_ingest', [String(port), bench.kafka.brokers, topic, linger]);
  const bare = { pid: child.pid, port, path: '/' };
  for (const who of [shim, bare]) // warm: connections to the broker, the producer's id, the JVM
    await once(bench, who, { conns: 64, batch: 1 });
  for (const s of SETTINGS) await setting(bench, shim, bare, s);
} finally {
  await bench.end();
}
