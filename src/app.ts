import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { type Logger, pino } from 'pino';
import type { Config } from './config.ts';
import { createCacheFile } from './data/cacheFile.ts';
import { createChartReader } from './data/chartReader.ts';
import { PageCache } from './data/pageCache.ts';
import { PageStore } from './data/pageStore.ts';
import { type CreditBudget, createCreditBudget } from './data/resilience/creditBudget.ts';
import { withCircuitBreaker } from './data/resilience/withCircuitBreaker.ts';
import { withCreditBudget } from './data/resilience/withCreditBudget.ts';
import { withFailureMemory } from './data/resilience/withFailureMemory.ts';
import { withQueue } from './data/resilience/withQueue.ts';
import { withRateLimit } from './data/resilience/withRateLimit.ts';
import { withRetry } from './data/resilience/withRetry.ts';
import { createSpendingFile } from './data/spendingFile.ts';
import type { Clock } from './domain/clock.ts';
import type { PageSource } from './domain/page.ts';
import { createUpstreamCost } from './domain/upstreamCost.ts';
import { createApolloServer } from './graphql/createApolloServer.ts';
import { createKeyapiClient } from './keyapi/client.ts';
import { createEmulator } from './keyapi/emulator/emulator.ts';
import { type AppEvent, logEvent } from './logEvent.ts';
import { createServer } from './server/createServer.ts';

/** What a caller may replace, and hear: its own log, a clock and chance that tests move, the events. */
export interface AppOptions {
  readonly log?: Logger;
  readonly clock?: Clock;
  /** From 0 up to 1. */
  readonly random?: () => number;
  readonly onEvent?: (event: AppEvent) => void;
}

const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms) => sleep(ms),
};

/** The part of an operation's time that is kept for cutting, serialising and sending its answer. */
const ANSWER_SHARE = 0.05;

/** How long a closing program waits for pages that are on their way. */
const SETTLE_MS = 3000;

/** What the layers share. */
interface Surroundings extends Required<Pick<AppOptions, 'clock' | 'random' | 'onEvent'>> {
  readonly config: Config;
}

/**
 * Puts the program together: from its settings to a server that can listen, or be injected. Closing the server
 * closes everything. This file is the only place that knows every part.
 */
export async function createApp(config: Config, options: AppOptions = {}): Promise<FastifyInstance> {
  const { log = createLog(config.logLevel), clock = systemClock, random = Math.random } = options;
  const logged = logEvent(log);
  const onEvent = (event: AppEvent): void => {
    logged(event);
    options.onEvent?.(event);
  };

  const emulator = config.keyapi.emulator ? createEmulator() : undefined;
  const source = emulator ? 'emulator' : 'keyapi';
  const client = createKeyapiClient({
    baseUrl: emulator ? await emulator.listen() : config.keyapi.baseUrl,
    token: emulator ? undefined : config.keyapi.token,
    timeoutMs: config.keyapi.timeoutMs,
    connections: config.keyapi.concurrency,
    clock,
    onEvent,
  });
  const pages = await createPages(client.fetchPage, { config, clock, random, onEvent });

  const apollo = createApolloServer({
    introspection: config.introspection,
    sandbox: config.sandbox,
    source,
    maxCreditsPerOperation: config.credits.perOperation,
    log,
  });
  await apollo.start();
  const server = await createServer({
    apollo,
    createContext: () => {
      const cost = createUpstreamCost();
      const deadlineAt = clock.monotonic() + config.operationTimeoutMs * (1 - ANSWER_SHARE);
      return { cost, charts: createChartReader(pages.cache, { cost, deadlineAt }, onEvent) };
    },
    corsOrigins: config.corsOrigins,
    source,
    log,
  });
  server.addHook('onClose', async () => {
    await pages.close();
    await client.close();
    await emulator?.close();
  });

  if (emulator) log.info('Demo data: the embedded emulator stands in for KeyAPI, nothing is paid for');
  return server;
}

/** The page cache, with what it held when the program was closed before. */
async function createPages(
  wire: PageSource,
  surroundings: Surroundings,
): Promise<{ readonly cache: PageCache; readonly close: () => Promise<void> }> {
  const { config, clock, onEvent } = surroundings;
  const { file, ttlMs, staleMs, maxBytes } = config.cache;
  // Demo data must not be taken for real, nor one upstream for another.
  const source = config.keyapi.emulator ? 'emulator' : config.keyapi.baseUrl.href;

  const store = new PageStore({ clock, staleMs, maxBytes });
  const cacheFile = file ? createCacheFile({ file, source, store, ttlMs, clock, onEvent }) : undefined;
  await cacheFile?.read();
  const cache = new PageCache({
    ...surroundings,
    source: createPageSource(wire, surroundings),
    store,
    ttlMs,
    refreshTimeoutMs: config.operationTimeoutMs,
  });

  async function close(): Promise<void> {
    if (!cacheFile) return;
    // What is on its way is paid for: worth a moment's wait, if it is kept.
    await Promise.race([cache.settle(), sleep(SETTLE_MS, null, { ref: false })]);
    await cacheFile.write();
  }
  return { cache, close };
}

/** The layers between the page cache and the wire, from the wire up. */
function createPageSource(wire: PageSource, { config, clock, random, onEvent }: Surroundings): PageSource {
  const { qps, concurrency } = config.keyapi;
  // As many as can have their turn before their operations give up.
  const maxWaiting = Math.ceil((qps * config.operationTimeoutMs) / 1000);
  const budget = createBudget({ config, clock, onEvent });

  let source = withRateLimit(wire, { qps, clock, onEvent });
  source = withQueue(source, { concurrency, maxWaiting, onEvent });
  if (budget) source = withCreditBudget(source, budget, onEvent);
  source = withCircuitBreaker(source, { clock, onEvent });
  source = withRetry(source, { clock, random, onEvent });
  return withFailureMemory(source, { clock, ttlMs: config.cache.errorTtlMs });
}

function createBudget({ config, clock, onEvent }: Omit<Surroundings, 'random'>): CreditBudget | undefined {
  const { perDay } = config.credits;
  if (perDay === undefined) return undefined;
  const { file } = config.cache;
  const spendingFile = file ? createSpendingFile(`${file}.credits`, onEvent) : undefined;
  return createCreditBudget({
    creditsPerDay: perDay,
    clock,
    spent: spendingFile?.read(),
    onChange: spendingFile?.write,
  });
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
