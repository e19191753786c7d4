// Requests to the shim as a bot makes them, and as no client library would.

import http from 'node:http';
import net from 'node:net';

const agent = new http.Agent({ keepAlive: true, maxSockets: 128 });

// {status, headers, text, json}; rejects when no whole answer came.
export function request(base, method, path, { headers = {}, body, timeout = 10_000 } = {}) {
  return new Promise((resolve, reject) => {
    const url = new URL(path, base);
    const req = http.request(url, { method, agent, headers }, (res) => {
      const chunks = [];
      res.on('data', (chunk) => chunks.push(chunk));
      res.on('error', reject);
      res.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: res.statusCode, headers: res.headers, text, json: parse(text) });
      });
    });
    req.setTimeout(timeout, () => req.destroy(new Error(`no answer within ${timeout} ms`)));
    req.on('error', reject);
    req.end(body);
  });
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// JSON with BigInt as the digits of a number, which JSON.stringify does not write.
export function jsonText(value) {
  const digits = [];
  const text = JSON.stringify(value, (_, v) =>
    typeof v === 'bigint' ? `\u0000${digits.push(v) - 1}\u0000` : v,
  );
  return text.replace(/"\\u0000(\d+)\\u0000"/g, (_, i) => String(digits[i]));
}

export function postEvent(base, event, { headers, path = '/v1/events', ...rest } = {}) {
  return request(base, 'POST', path, {
    headers: { 'content-type': 'application/json', ...headers },
    body: jsonText(event),
    ...rest,
  });
}

export function postLines(base, events, { headers, path = '/v1/events', ...rest } = {}) {
  return request(base, 'POST', path, {
    headers: { 'content-type': 'application/x-ndjson', ...headers },
    body: events.map(jsonText).join('\n'),
    ...rest,
  });
}

// Writes bytes to the port and returns all that came back: {status (of the first answer or 0), text,
// answers (how many), closed (by the server)}. Ends when the server closes, or by `until(text)`, or after
// `patience` ms without news.
export function rawRequest(port, bytes, { patience = 3000, until = whole } = {}) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    let text = '';
    const end = (closed) => {
      clearTimeout(timer);
      socket.destroy();
      const statuses = [...text.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)].map((m) => Number(m[1]));
      resolve({ status: statuses[0] ?? 0, statuses, answers: statuses.length, text, closed });
    };
    const timer = setTimeout(() => end(false), patience);
    socket.setEncoding('latin1');
    socket.on('connect', () => write(socket, bytes));
    socket.on('data', (chunk) => {
      text += chunk;
      if (until(text)) end(false);
    });
    socket.on('close', () => end(true));
    socket.on('error', () => {});
  });
}

// bytes: a string or Buffer, or a list of them written one by one with a turn of the loop between.
async function write(socket, bytes) {
  for (const part of Array.isArray(bytes) ? bytes : [bytes]) {
    if (socket.destroyed) return;
    socket.write(part);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

// One whole answer with its Content-Length.
export function whole(text) {
  const head = text.indexOf('\r\n\r\n');
  const length = /^content-length: *(\d+)/im.exec(text.slice(0, head));
  return (
    head >= 0 &&
    length !== null &&
    Buffer.byteLength(text.slice(head + 4), 'latin1') >= Number(length[1])
  );
}
