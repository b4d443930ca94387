import type { RedisServer } from '../../../domain/redisServer.ts';
import { createSentinelWatch, type RedisClient } from './redisClient.ts';

/** What a sentinel publishes when another Redis has become a primary: its name, its old and its new address. */
const CHANNEL = '+switch-master';

/**
 * Closes the client as soon as a sentinel reports that another Redis is the primary: the old one may accept writes for seconds,
 * which are lost. Watches until the client is closed.
 */
export function watchPrimary(server: RedisServer, client: RedisClient): void {
  const watches = server.addresses.map((address) => {
    const watch = createSentinelWatch(server, address);
    // Whether a sentinel responds matters only when the primary changes.
    watch.on('error', () => undefined);
    watch.on('message', (_channel, message: string) => {
      if (message.startsWith(`${server.sentinel?.name} `)) client.disconnect();
    });
    watch.subscribe(CHANNEL).catch(() => undefined);
    return watch;
  });
  client.once('end', () => {
    for (const watch of watches) watch.disconnect();
  });
}
