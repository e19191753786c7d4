'use strict';
// One HTTP exchange with the shim, bounded in time and size. Resolves with whatever status came;
// rejects only when no whole answer came.

const http = require('node:http');
const https = require('node:https');

const ANSWER_MAX = 8 * 1024 * 1024; // bytes
const SOCKETS_MAX = 64; // more calls at once wait for a connection

// Idle connections are kept for the next call and do not keep the process alive.
const agents = {
  http: new http.Agent({ keepAlive: true, maxSockets: SOCKETS_MAX }),
  https: new https.Agent({ keepAlive: true, maxSockets: SOCKETS_MAX }),
};

function failure(code, text) {
  return Object.assign(new Error(text), { code });
}

function address(to, method, path, headers, body) {
  const own = { accept: 'application/json, application/problem+json' };
  if (to.token) own.authorization = `Bearer ${to.token}`;
  if (body !== undefined) own['content-length'] = Buffer.byteLength(body);
  return {
    method,
    path: to.base + path,
    headers: { ...headers, ...own },
    agent: to.secure ? agents.https : agents.http,
    ...(to.socketPath
      ? { socketPath: to.socketPath, host: to.host }
      : { host: to.host, port: to.port }),
  };
}

function collect(res, done) {
  const chunks = [];
  let size = 0;
  res.on('data', (chunk) => {
    size += chunk.length;
    if (size > ANSWER_MAX) res.destroy(failure('ESTEIRA_ANSWER_SIZE', 'the answer is too large'));
    else chunks.push(chunk);
  });
  res.on('error', done);
  res.on('end', () =>
    done(null, {
      status: res.statusCode,
      retryAfter: res.headers['retry-after'],
      text: Buffer.concat(chunks).toString('utf8'),
    }),
  );
}

function exchangeOnce(to, { method, path, headers, body, timeout }) {
  return new Promise((resolve, reject) => {
    const client = to.secure ? https : http;
    const req = client.request(address(to, method, path, headers, body));
    const timer = setTimeout(
      () => req.destroy(failure('ETIMEDOUT', `no answer within ${timeout} ms`)),
      timeout,
    );
    const done = (err, answer) => {
      clearTimeout(timer);
      if (err) reject(Object.assign(err, { onReusedSocket: req.reusedSocket === true }));
      else resolve(answer);
    };
    req.on('error', done);
    req.on('response', (res) => collect(res, done));
    req.end(body);
  });
}

// A kept connection that the shim closed at the very moment of our call says nothing about the shim:
// asked once more at once. Repeating is safe, the events carry their ids.
async function exchange(to, request) {
  try {
    return await exchangeOnce(to, request);
  } catch (err) {
    if (!err.onReusedSocket || !['ECONNRESET', 'EPIPE'].includes(err.code)) throw err;
    return exchangeOnce(to, request);
  }
}

module.exports = { exchange };
