import type { HostAndPort } from '../../../domain/hostAndPort.ts';
import type { RedisServer } from '../../../domain/redisServer.ts';
import { createNodeClient, type RedisClient, readServer } from './redisClient.ts';

/** What a sentinel publishes when another Redis has become a primary: its name, its old and its new address. */
const CHANNEL = '+switch-master';
const RECONNECT_MS = 1000;

/**
 * Closes the client as soon as a sentinel reports that another Redis is the primary: the old one may accept writes for seconds,
 * which are lost. Watches until the client is closed.
 */
export function watchPrimary(server: RedisServer, client: RedisClient): void {
  for (const address of server.addresses) watchBy(address, server, client);
}

/** Whether a sentinel can be reached matters only when the primary changes: errors are ignored. */
function watchBy(address: HostAndPort, server: RedisServer, client: RedisClient): void {
  let timer: NodeJS.Timeout | undefined;
  let stopWatch = (): void => undefined;

  function watch(): void {
    try {
      const sentinel = createNodeClient(readServer(server), address);
      stopWatch = () => sentinel.disconnect();
      sentinel.on('error', () => undefined);
      sentinel.on('message', (_channel, message: string) => {
        if (message.startsWith(`${server.sentinel?.name} `)) client.disconnect();
      });
      sentinel.once('end', watchLater);
      sentinel
        .connect()
        .then(
          () => sentinel.subscribe(CHANNEL),
          () => undefined,
        )
        .catch(() => undefined);
    } catch {
      // A file for TLS is being replaced.
      watchLater();
    }
  }

  function watchLater(): void {
    if (client.status !== 'ready') return;
    timer = setTimeout(watch, RECONNECT_MS);
    timer.unref();
  }

  client.once('end', () => {
    clearTimeout(timer);
    stopWatch();
  });
  watch();
}
