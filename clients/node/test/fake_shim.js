'use strict';
// A shim for tests: answers what the script says, keeps what it was asked.

const http = require('node:http');

const ok = (req) => {
  const body = JSON.parse(req.body);
  return Array.isArray(body)
    ? { status: 202, json: { accepted: body.length, buffered: 0, ids: body.map((e) => e.id) } }
    : { status: 202, json: { id: body.id, buffered: false } };
};
const problem = (status, more = {}, headers = {}) => ({
  status,
  headers,
  json: { type: 'about:blank', title: 'no', status, ...more },
});
const hangUp = () => 'hang-up';
const silence = () => 'silence';

// script: one answer (or function of the request) per request, the last one for all that follow.
async function fakeShim(t, script = [ok], listenAt = { port: 0, host: '127.0.0.1' }) {
  const requests = [];
  const server = http.createServer((req, res) => {
    const chunks = [];
    req.on('data', (c) => chunks.push(c));
    req.on('end', () => {
      const seen = {
        method: req.method,
        path: req.url,
        headers: req.headers,
        at: performance.now(),
        body: Buffer.concat(chunks).toString(),
        port: req.socket.remotePort,
      };
      requests.push(seen);
      const step = script[Math.min(requests.length, script.length) - 1];
      reply(req, res, typeof step === 'function' ? step(seen) : step);
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise((done) => server.listen(listenAt, done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = typeof server.address() === 'string' ? {} : server.address();
  return {
    server,
    requests,
    url: port && `http://127.0.0.1:${port}`,
    events: () => requests.map((r) => JSON.parse(r.body)),
  };
}

function reply(req, res, answer) {
  if (answer === 'hang-up') return req.socket.destroy();
  if (answer === 'silence') return undefined;
  const { status, json, text = JSON.stringify(json), headers = {} } = answer;
  res.writeHead(status, { 'content-type': 'application/json', ...headers });
  return res.end(text);
}

// Sets environment names for one test and puts them back.
function withEnv(t, names) {
  const all = {
    ESTEIRA_URL: undefined,
    ESTEIRA_SOCKET: undefined,
    ESTEIRA_TOKEN: undefined,
    DASHBOARD_URL: undefined,
    DASHBOARD_TOKEN: undefined,
    ...names,
  };
  const before = Object.fromEntries(Object.keys(all).map((name) => [name, process.env[name]]));
  const put = (values) =>
    Object.entries(values).forEach(([name, value]) => {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    });
  put(all);
  t.after(() => put(before));
}

module.exports = { fakeShim, hangUp, ok, problem, silence, withEnv };
