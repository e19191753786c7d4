// A TCP port on loopback that leads to another one, and can be cut.

import net from 'node:net';

export class Proxy {
  constructor(port, target) {
    this.port = port;
    this.target = target;
    this.sockets = new Set();
  }

  get address() {
    return `127.0.0.1:${this.port}`;
  }

  async open() {
    if (this.server) return;
    this.server = net.createServer((near) => this.join(near));
    await new Promise((resolve, reject) =>
      this.server.once('error', reject).listen(this.port, '127.0.0.1', resolve),
    );
  }

  join(near) {
    const far = net.connect(this.target, '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ]) {
      this.sockets.add(socket);
      socket.setNoDelay(true);
      socket.pipe(other);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
    }
  }

  // Connections break, new ones are refused.
  close() {
    this.server?.close();
    this.server = undefined;
    for (const socket of this.sockets) socket.destroy();
  }
}
