import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a server that can be made slow, closed, or stand still. */
export interface TestProxy {
  readonly port: number;
  /** By how much every answer is late. */
  delayMs: number;
  /** While it is true, connections are accepted and nothing is passed on. */
  isFrozen: boolean;
  /** Listens again where it did. */
  open(): Promise<void>;
  /** Ends all connections, and refuses others. */
  close(): Promise<void>;
}

export async function startProxy(target: { host: string; port: number }): Promise<TestProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk) => pass(chunk, upstream, 0));
    upstream.on('data', (chunk) => pass(chunk, client, proxy.delayMs));
  });

  function pass(chunk: Buffer, to: Socket, ms: number): void {
    if (proxy.isFrozen) setTimeout(() => pass(chunk, to, ms), 10);
    else if (ms > 0) setTimeout(() => to.write(chunk), ms);
    else to.write(chunk);
  }

  async function listen(port: number): Promise<number> {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  const port = await listen(0);
  const proxy: TestProxy = {
    port,
    delayMs: 0,
    isFrozen: false,
    open: async () => void (await listen(port)),
    close: async () => {
      if (!server.listening) return;
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
  return proxy;
}
