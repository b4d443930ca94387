import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy that can delay or lose what the server sends, and lead to another server. */
export interface TestProxy {
  readonly port: number;
  /** Delays everything from the server until `release`. */
  hold(): void;
  release(): void;
  /** Closes each connection instead of passing on what the server responds to something that this matches. */
  loseResponses(to: RegExp): void;
  /** Closes all connections; later ones lead to this port. */
  switchTo(port: number): void;
  close(): Promise<void>;
}

export async function startProxy(firstTarget: number): Promise<TestProxy> {
  let targetPort = firstTarget;
  let lost: RegExp | undefined;
  const sockets = new Set<Socket>();
  let released = Promise.resolve();
  let release = (): void => undefined;
  const server = createServer((client) => {
    const target = connect(targetPort, '127.0.0.1');
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        target.destroy();
      });
    }
    let isLost = false;
    client.on('data', (chunk) => {
      isLost ||= lost?.test(chunk.toString('latin1')) ?? false;
      target.write(chunk);
    });
    target.on('data', (chunk) => {
      if (isLost) client.destroy();
      else void released.then(() => client.write(chunk));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    hold: () => {
      released = new Promise((resolve) => {
        release = resolve;
      });
    },
    release: () => release(),
    loseResponses: (to) => {
      lost = to;
    },
    switchTo: (port) => {
      targetPort = port;
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
