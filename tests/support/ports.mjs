// Loopback ports that nobody uses right now, and that the kernel gives to nobody who asks for any port:
// below its ephemeral range (net.ipv4.ip_local_port_range), or an outgoing connection could take one
// between here and the program that is to listen on it. Kafka's are drawn from 20000 on (tools/lib.sh).

import { randomInt } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';

const LOWEST = 10_000;
const END = 20_000;
const SHARE = 250; // ports of one process: others that run beside it mostly have another share

// Given away already: whoever got one may not listen on it yet.
const given = new Set();

function ephemeralStart() {
  const text = fs.readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
  return Number(text.trim().split(/\s+/)[0]);
}

// The server, or null when somebody has the port.
function open(port) {
  const server = net.createServer();
  return new Promise((resolve, reject) => {
    server.on('error', (err) => (err.code === 'EADDRINUSE' ? resolve(null) : reject(err)));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

// Where the whole range is ephemeral there is nothing below it: then any port is as good.
function draw(end) {
  const shares = Math.floor((end - LOWEST) / SHARE);
  if (shares < 4) return 0;
  if (given.size > SHARE / 2) given.delete(given.values().next().value); // the oldest
  return LOWEST + (process.pid % shares) * SHARE + randomInt(SHARE);
}

// Held open together, so that all of them differ.
export async function freePorts(n) {
  const end = Math.min(END, ephemeralStart());
  const servers = [];
  while (servers.length < n) {
    const port = draw(end);
    if (given.has(port)) continue;
    if (port !== 0) given.add(port);
    const server = await open(port);
    if (server) servers.push(server);
  }
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
