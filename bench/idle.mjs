// What the shim and a consumer cost while nothing happens: percent of one core over ten seconds.

import path from 'node:path';
import { Bench, ROOT, answers, cpuSeconds, freePorts, round, rssMb } from './measure.mjs';

const SECONDS = 10;

const bench = await Bench.open();
try {
  const shim = await bench.shim();
  const [ops] = await freePorts(1);
  const consumer = bench.start('esteira-consumer', ['-c', path.join(ROOT, 'pipeline.yaml')], {
    ESTEIRA_KAFKA_BROKERS: bench.kafka.brokers,
    ESTEIRA_CONSUMER_OPS_LISTEN: `127.0.0.1:${ops}`,
  });
  await answers(ops, '/readyz');
  const before = [shim.pid, consumer.pid].map(cpuSeconds);
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000)); // the time is the measure
  for (const [i, name] of ['esteira-producer', 'esteira-consumer'].entries()) {
    const pid = [shim.pid, consumer.pid][i];
    const percent = ((cpuSeconds(pid) - before[i]) / SECONDS) * 100;
    console.log(JSON.stringify({ job: 'idle', program: name, cpu_percent: round(percent, 2), rss_mb: round(rssMb(pid), 1) }));
  }
} finally {
  await bench.end();
}
