// What every belt of the tests has: daemons in one folder, with one configuration, and the command line to
// ask them. Its heirs set dir, env, config, kafka and prefix.

import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { promisify } from 'node:util';
import { Daemon } from './daemon.mjs';
import { program } from './paths.mjs';
import { recordCounts } from './topics.mjs';

const run = promisify(execFile);

export class Belt {
  daemons = [];
  destination = 'dashboard';

  // Not started yet. ops: its port
  daemon(name, binary, ops, env) {
    const daemon = new Daemon({
      name,
      file: program(binary),
      args: ['-c', this.config],
      ops,
      dir: this.dir,
      env: { ...this.env, ...env },
    });
    this.daemons.push(daemon);
    return daemon;
  }

  // What the command prints; it must succeed.
  async esteira(...args) {
    const options = { env: this.env, cwd: this.dir, timeout: 120_000 };
    return (await run(program('esteira'), args, options)).stdout;
  }

  // {code, out, err} of a command with this configuration, whatever its exit code. env: more of it
  ask(args, env = {}) {
    const options = { env: { ...this.env, ...env }, cwd: this.dir, timeout: 120_000 };
    return new Promise((resolve) => {
      execFile(program('esteira'), [...args, '-c', this.config], options, (error, out, err) =>
        resolve({ code: error?.code ?? 0, out, err }),
      );
    });
  }

  async deadLetters() {
    const prefix = `dlq.${this.destination}.${this.prefix}`;
    const counts = await recordCounts(this.kafka.brokers, prefix);
    return Object.values(counts).reduce((sum, n) => sum + n, 0);
  }

  // Faults of the daemons' own: sanitizers, assertions, ends that nobody asked for.
  verify() {
    this.daemons.forEach((daemon) => daemon.check());
  }

  endDaemons() {
    return Promise.all(this.daemons.map((daemon) => daemon.end()));
  }

  // The folder with the logs goes, unless it is to be kept.
  clear(keep) {
    if (keep || process.env.ESTEIRA_TEST_KEEP) console.error(`logs kept in ${this.dir}`);
    else fs.rmSync(this.dir, { recursive: true, force: true });
  }
}
