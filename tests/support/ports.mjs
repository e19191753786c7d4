// Loopback ports that nobody uses right now.

import net from 'node:net';

async function open() {
  const server = net.createServer();
  await new Promise((resolve, reject) =>
    server.on('error', reject).listen(0, '127.0.0.1', resolve),
  );
  return server;
}

// Held open together, so that all of them differ.
export async function freePorts(n) {
  const servers = await Promise.all(Array.from({ length: n }, open));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
