// A dashboard for tests: the API of api/openapi.yaml over a journal in memory. It keeps every event in
// the order of arrival, counts ids that come again, and fails in the ways that it is told.

import http from 'node:http';

const ROUTES = {
  'POST /api/v1/events': (sink, body) => sink.takeOne(body),
  'POST /api/v1/events/batch': (sink, body) => sink.takeBatch(body),
  'GET /api/v1/status': (sink) => ({
    status: 200,
    json: {
      status: 'ok',
      version: 'test',
      uptime_s: 1,
      events: sink.seen.size,
      last_event_at: null,
    },
  }),
  'GET /api/v1/metrics': (sink) => ({
    status: 200,
    json: { events: { total: sink.seen.size, by_type: {} } },
  }),
  'GET /healthz': () => ({ status: 200, json: { ok: true } }),
};

export class Sink {
  constructor({ token = '' } = {}) {
    this.token = token;
    this.journal = []; // every event that was taken, in order, repeats among them
    this.seen = new Set(); // ids
    this.record = true; // false: keep neither journal nor ids, only tell onTake (very long runs)
    this.requests = []; // {method, path, status, events, headers}
    this.answerWith = null; // (request) => {status, json, headers} instead of taking it; null = take
    this.refuses = () => null; // (event) => {code, detail, pointer, status (422)} of an event it refuses
    this.onTake = () => {}; // told of each event taken
    this.delay = 0; // ms before each answer
    this.bodyOf = (bytes) => bytes; // (bytes, headers): where it comes encoded
    this.delayOf = null; // (body) => ms, instead
  }

  async start(port = this.port ?? 0) {
    this.server = http.createServer((req, res) => this.serve(req, res));
    this.server.keepAliveTimeout = 60_000;
    await new Promise((resolve, reject) =>
      this.server.once('error', reject).listen(port, '127.0.0.1', resolve),
    );
    this.port = this.server.address().port;
    this.url = `http://127.0.0.1:${this.port}`;
    return this;
  }

  // As a dashboard that is away: the port refuses, open connections break.
  async stop() {
    if (!this.server?.listening) return;
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  serve(req, res) {
    const chunks = [];
    req.on('data', (chunk) => chunks.push(chunk));
    req.on('end', () => {
      const body = this.bodyOf(Buffer.concat(chunks), req.headers).toString('utf8');
      setTimeout(() => this.answer(req, res, body), this.delayOf?.(body) ?? this.delay);
    });
    req.on('error', () => {});
  }

  answer(req, res, body) {
    const { method, url: path, headers } = req;
    const request = { method, path, headers, body, at: performance.now() };
    const { status, json, headers: more } = this.decide(request);
    this.requests.push({ method, path, headers, status, at: request.at });
    if (res.destroyed) return;
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    res.writeHead(status, { 'content-type': type, ...more });
    res.end(JSON.stringify(json));
  }

  decide(request) {
    const route = ROUTES[`${request.method} ${request.path.split('?')[0]}`];
    if (!route) return { status: 404, json: { title: 'No such route', status: 404 } };
    const forced = this.answerWith?.(request);
    if (forced) return forced;
    if (this.token && request.headers.authorization !== `Bearer ${this.token}`) {
      return { status: 401, json: { title: 'Unauthorized', status: 401 } };
    }
    return route(this, request.body);
  }

  take(event) {
    const fault = this.refuses(event);
    if (fault) return { id: event.id, status: fault.status ?? 422, duplicate: false, error: fault };
    const duplicate = this.seen.has(event.id);
    if (this.record) {
      this.seen.add(event.id);
      this.journal.push(event);
    }
    this.onTake(event, duplicate);
    return { id: event.id, status: duplicate ? 200 : 201, duplicate };
  }

  takeOne(body) {
    const { status, error, id, duplicate } = this.take(JSON.parse(body));
    return error
      ? { status, json: { title: 'Refused', status, errors: [error] } }
      : { status, json: { id, duplicate } };
  }

  // After a refused event, later ones of the same key in the request depend on it: 424.
  takeBatch(body) {
    const blocked = new Set();
    const results = JSON.parse(body).events.map((event) => {
      if (event.key !== undefined && blocked.has(event.key)) {
        return {
          id: event.id,
          status: 424,
          duplicate: false,
          error: { code: 'E-DEPENDENCY', detail: 'after a refused one' },
        };
      }
      const result = this.take(event);
      if (result.error && event.key !== undefined) blocked.add(event.key);
      return result;
    });
    return { status: 200, json: { results } };
  }

  byId(id) {
    return this.journal.find((event) => event.id === id);
  }
}
