import type { FastifyInstance } from 'fastify';
import { type Logger, pino } from 'pino';
import type { Config } from './config.ts';
import { createChartReader } from './data/chartReader.ts';
import { PageCache } from './data/pageCache.ts';
import { withBulkhead } from './data/withBulkhead.ts';
import type { Clock } from './domain/clock.ts';
import { createUpstreamCost } from './domain/upstreamCost.ts';
import { createApolloServer } from './graphql/createApolloServer.ts';
import { createKeyapiClient } from './keyapi/client.ts';
import { createEmulator } from './keyapi/emulator/emulator.ts';
import { logKeyapiEvent } from './logKeyapiEvent.ts';
import { createServer } from './server/createServer.ts';

/** What a caller may replace: its own log, a clock that tests move. */
export interface AppOptions {
  readonly log?: Logger;
  readonly clock?: Clock;
}

const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/**
 * Puts the program together: from its settings to a server that can listen, or be injected. Closing the server
 * closes everything. The only place that knows every part.
 */
export async function createApp(config: Config, options: AppOptions = {}): Promise<FastifyInstance> {
  const { log = createLog(config.logLevel), clock = systemClock } = options;

  const emulator = config.keyapi.emulator ? createEmulator() : undefined;
  const source = emulator ? 'emulator' : 'keyapi';
  const client = createKeyapiClient({
    baseUrl: emulator ? await emulator.listen() : config.keyapi.baseUrl,
    token: emulator ? undefined : config.keyapi.token,
    timeoutMs: config.keyapi.timeoutMs,
    connections: config.keyapi.concurrency,
    clock,
    onEvent: logKeyapiEvent(log),
  });
  const cache = new PageCache({
    source: withBulkhead(client.fetchPage, config.keyapi.concurrency),
    clock,
    ttlMs: config.cache.ttlMs,
    maxBytes: config.cache.maxBytes,
  });

  const apollo = createApolloServer({
    introspection: config.introspection,
    sandbox: config.sandbox,
    source,
    log,
  });
  await apollo.start();
  const server = await createServer({
    apollo,
    createContext: () => {
      const cost = createUpstreamCost();
      return { cost, charts: createChartReader(cache, clock, cost) };
    },
    corsOrigins: config.corsOrigins,
    source,
    log,
  });
  server.addHook('onClose', async () => {
    await client.close();
    await emulator?.close();
  });

  if (emulator) log.info('Demo data: the embedded emulator stands in for KeyAPI, nothing is paid for');
  return server;
}

/** The program's logger: JSON lines on standard output. */
export function createLog(level: Config['logLevel']): Logger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}
