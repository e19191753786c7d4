// A Redis master, its replica, and three Sentinels that watch them: like Redis of tests/support to the
// rest of the rig.

import fs from 'node:fs';
import path from 'node:path';
import { freePorts } from '../support/ports.mjs';
import { Redis } from '../support/redis.mjs';
import { waitFor } from '../support/wait.mjs';

const NAME = 'reserva';
const QUORUM = 2;

class Sentinel extends Redis {
  constructor(dir, master) {
    super(dir, {});
    this.master = master;
  }

  async start() {
    this.port ??= (await freePorts(1))[0];
    fs.mkdirSync(this.dir, { recursive: true });
    const file = path.join(this.dir, 'sentinel.conf'); // Sentinel writes into it
    const lines = [
      'bind 127.0.0.1',
      `port ${this.port}`,
      `dir ${this.dir}`,
      `sentinel monitor ${NAME} 127.0.0.1 ${this.master.port} ${QUORUM}`,
      `sentinel down-after-milliseconds ${NAME} 1000`,
      `sentinel failover-timeout ${NAME} 5000`,
    ];
    fs.writeFileSync(file, `${lines.join('\n')}\n`);
    await this.launch(file, '--sentinel');
    return this;
  }
}

export class Replicas {
  async open(dir) {
    this.first = await new Redis(path.join(dir, 'redis-1')).start();
    this.second = await new Redis(path.join(dir, 'redis-2'), {
      replicaof: `127.0.0.1 ${this.first.port}`,
    }).start();
    this.sentinels = [];
    for (let i = 1; i <= 3; i++)
      this.sentinels.push(await new Sentinel(path.join(dir, `sentinel-${i}`), this.first).start());
    await waitFor('the Sentinels know of the replica and of one another', () => this.complete(), {
      within: 20_000,
      every: 100,
    });
    const hosts = this.sentinels.map((s) => `127.0.0.1:${s.port}`).join(',');
    this.url = `redis+sentinel://${hosts}/${NAME}`;
    return this;
  }

  async complete() {
    if (!(await this.linked())) return false;
    for (const s of this.sentinels) {
      const state = await s.ask('SENTINEL', 'MASTER', NAME);
      const of = (name) => Number(state[state.indexOf(name) + 1]);
      if (of('num-slaves') !== 1 || of('num-other-sentinels') !== 2) return false;
    }
    return true;
  }

  async linked() {
    return /master_link_status:up/.test(await this.second.ask('INFO', 'replication'));
  }

  // The replica gets nothing any more, and does not know yet that its master is to die.
  async unlink() {
    await this.second.ask('CONFIG', 'SET', 'masterauth', 'not the password');
    await this.first.ask('CLIENT', 'KILL', 'TYPE', 'replica');
    await waitFor('the replica is cut off', async () => !(await this.linked()));
  }

  // The replica is the master, and every Sentinel says so.
  async promoted({ within = 30_000 } = {}) {
    const port = String(this.second.port);
    const told = async (s) =>
      (await s.ask('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME).catch(() => []))[1] === port;
    await waitFor(
      'the replica is promoted',
      async () => {
        const [role] = await this.second.ask('ROLE').catch(() => ['']);
        return role === 'master' && (await Promise.all(this.sentinels.map(told))).every(Boolean);
      },
      { within },
    );
    await this.second.ask('CONFIG', 'SET', 'masterauth', '');
  }

  // Who is master now.
  get master() {
    return this.dead === this.first ? this.second : this.first;
  }

  async killMaster() {
    this.dead = this.first;
    await this.first.kill();
  }

  // The killed one is back: at once as a replica, or, as it would be, as a master that a Sentinel sets
  // right some ten seconds later.
  async revive({ asReplica }) {
    if (asReplica) this.first.settings.replicaof = `127.0.0.1 ${this.second.port}`;
    await this.first.start();
  }

  buffered() {
    return this.master.buffered();
  }

  async end() {
    await Promise.all([...this.sentinels, this.first, this.second].map((part) => part.end()));
  }
}
