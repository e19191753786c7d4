// A receiver outside the containers that counts: what came, what came again, and in which order. It knows
// the ids of chaos_load, TAG-LANE-N with the key N modulo the load's keys, and keeps numbers only, so that
// hundreds of thousands of events cost nothing.

import http from 'node:http';

export class Counter {
  // keys: of the loads; delay: ms before each answer
  constructor({ token, keys = 4, delay = 0 }) {
    Object.assign(this, { token, keys, delay });
    this.seen = new Map(); // "TAG-LANE" -> Uint8Array of N
    this.last = new Map(); // "TAG-LANE-KEY" -> highest N
    this.distinct = 0;
    this.duplicates = 0;
    this.disordered = 0;
    this.requests = 0;
    this.firstAt = this.lastAt = 0; // ms: of the first and of the newest delivery
  }

  async start(address) {
    this.server = http.createServer((req, res) => this.serve(req, res));
    this.server.keepAliveTimeout = 60_000;
    await new Promise((resolve, reject) =>
      this.server.once('error', reject).listen(0, address, resolve),
    );
    this.url = `http://${address}:${this.server.address().port}`;
    return this;
  }

  async stop() {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  serve(req, res) {
    const chunks = [];
    req.on('data', (chunk) => chunks.push(chunk));
    req.on('error', () => {});
    req.on('end', () =>
      setTimeout(() => {
        const { status, json } = this.answer(req, Buffer.concat(chunks).toString());
        res.writeHead(status, { 'content-type': 'application/json' });
        res.end(JSON.stringify(json));
      }, this.delay),
    );
  }

  answer(req, body) {
    if (req.headers.authorization !== `Bearer ${this.token}`) return { status: 401, json: {} };
    if (req.method !== 'POST') return { status: 200, json: { status: 'ok', events: this.distinct } };
    this.requests++;
    this.lastAt = performance.now();
    this.firstAt ||= this.lastAt;
    if (!req.url.endsWith('/batch')) return { status: 200, json: this.take(JSON.parse(body)) };
    return { status: 200, json: { results: JSON.parse(body).events.map((event) => this.take(event)) } };
  }

  lane(name, n) {
    let lane = this.seen.get(name);
    if (lane === undefined || lane.length <= n) {
      const longer = new Uint8Array(Math.max(1024, 2 * (n + 1)));
      if (lane) longer.set(lane);
      this.seen.set(name, (lane = longer));
    }
    return lane;
  }

  take({ id }) {
    const at = id.lastIndexOf('-');
    const name = id.slice(0, at);
    const n = Number(id.slice(at + 1));
    const lane = this.lane(name, n);
    const duplicate = lane[n] === 1;
    if (duplicate) this.duplicates++;
    else {
      lane[n] = 1;
      this.distinct++;
      const key = `${name}-${n % this.keys}`;
      if (n < (this.last.get(key) ?? -1)) this.disordered++;
      else this.last.set(key, n);
    }
    return { id, status: duplicate ? 200 : 201, duplicate };
  }
}
