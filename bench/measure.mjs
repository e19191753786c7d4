// What the benchmarks share: starting a program, its CPU and memory, medians, wrk.

import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Kafka } from '../tests/support/kafka.mjs';
import { request } from '../tests/support/http.mjs';
import { ROOT, program } from '../tests/support/paths.mjs';
import { freePorts } from '../tests/support/ports.mjs';
import { waitFor } from '../tests/support/wait.mjs';

export { ROOT, freePorts, request, waitFor };
export const ROUNDS = Number(process.env.ESTEIRA_BENCH_ROUNDS ?? 3);
export const SECONDS = Number(process.env.ESTEIRA_BENCH_SECONDS ?? 5);
export const TOKEN = 'token-only-for-the-benchmark';

const run = promisify(execFile);
const TICKS = 100; // per second in /proc/PID/stat (USER_HZ)

export class Bench {
  children = [];

  static async open() {
    const bench = new Bench();
    bench.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'esteira-bench-'));
    bench.kafka = await Kafka.get({ own: true });
    fs.writeFileSync(path.join(bench.dir, 'tokens'), `bench ${TOKEN}\n`);
    return bench;
  }

  start(name, args = [], env = {}) {
    const log = fs.openSync(path.join(this.dir, `${name}.log`), 'a');
    const child = spawn(program(name), args, {
      cwd: this.dir,
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', log, log],
    });
    fs.closeSync(log);
    this.children.push(child);
    return child;
  }

  async shim(env = {}) {
    const [port, ops] = await freePorts(2);
    const child = this.start('esteira-producer', ['-c', path.join(ROOT, 'pipeline.yaml')], {
      ESTEIRA_KAFKA_BROKERS: this.kafka.brokers,
      ESTEIRA_PRODUCER_LISTEN: `127.0.0.1:${port}`,
      ESTEIRA_PRODUCER_OPS_LISTEN: `127.0.0.1:${ops}`,
      ESTEIRA_PRODUCER_TOKENS_FILE: path.join(this.dir, 'tokens'),
      ...env,
    });
    await answers(ops, '/readyz');
    return { pid: child.pid, child, port, ops, path: '/v1/events' };
  }

  async end() {
    for (const child of this.children) await stop(child);
    await this.kafka.end();
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

export async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await gone;
  clearTimeout(force);
}

export const answers = (port, route) =>
  waitFor(
    `127.0.0.1:${port}${route} answers`,
    async () => {
      const reply = await request(`http://127.0.0.1:${port}`, 'GET', route).catch(() => ({}));
      return reply.status === 200;
    },
    { within: 30_000 },
  );

// User and system seconds of a process so far; behind the name, which may hold spaces.
export function cpuSeconds(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

export function rssMb(pid) {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)[1]) / 1024;
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

export const round = (x, digits = 3) => (x === null ? null : Number(x.toFixed(digits)));

// An order of about 500 bytes, as a bot sends it.
export const EVENT = JSON.stringify({
  event: 'order_created',
  payload: {
    order_id: '8841',
    contact: '5511999990000',
    status: 'created',
    total: '599.85',
    currency: 'BRL',
    items: [
      { sku: 'CAM-001', name: 'Camiseta básica', qty: 2, unit_price: '199.95', currency: 'BRL' },
      { sku: 'BON-002', name: 'Boné azul 👋', qty: 1, unit_price: '199.95', currency: 'BRL' },
    ],
    note: 'Entregar depois das 18h, portão azul, falar com o porteiro. Obrigado! Se não houver ninguém, deixar com o vizinho do 42.',
  },
});

// One run of wrk: {requests, rate, p50, p99 (ms)}. A refused request makes the run worthless.
export async function wrk({ port, conns, path: route = '/', body, type, seconds = SECONDS, dir }) {
  const script = path.join(dir, 'post.lua');
  fs.writeFileSync(path.join(dir, 'body'), body);
  fs.writeFileSync(
    script,
    `wrk.method = "POST"
wrk.headers["Content-Type"] = "${type}"
wrk.headers["Authorization"] = "Bearer ${TOKEN}"
wrk.headers["Prefer"] = "return=minimal"
local f = io.open("${path.join(dir, 'body')}", "rb")
wrk.body = f:read("*a")
f:close()
function done(summary, latency)
  local e = summary.errors
  print(string.format("RESULT %d %d %f %f %d", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.status + e.connect + e.read + e.write + e.timeout))
end
`,
  );
  const url = `http://127.0.0.1:${port}${route}`;
  const { stdout } = await run('wrk', ['-t1', `-c${conns}`, `-d${seconds}s`, '-s', script, url]);
  const [, requests, us, p50, p99, errors] = /RESULT (\S+) (\S+) (\S+) (\S+) (\S+)/.exec(stdout).map(Number);
  if (errors > 0) throw new Error(`${errors} requests failed at ${url}`);
  return { requests, rate: (requests * 1e6) / us, p50: p50 / 1000, p99: p99 / 1000 };
}
