import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import pTimeout from 'p-timeout';
import type { DestinationStream, Logger } from 'pino';
import { createCondition } from '../observe/readiness.ts';
import { type Config, ConfigError } from '../config/loadConfig.ts';
import { createPageSource, type PageSourceOptions, sourceId } from './createPageSource.ts';
import { admitPage } from '../data/pages/storePage.ts';
import { createCacheFile } from '../data/pages/cacheFile.ts';
import { createChartReader } from '../data/windows/chartReader.ts';
import type { OnDataEvent } from '../data/events.ts';
import { type FetchPage, PageCache } from '../data/pages/pageCache.ts';
import { PageStore } from '../data/pages/pageStore.ts';
import type { RedisLink } from '../data/redis/redisConnection.ts';
import { VALUES_VERSION } from '../data/redis/scripts.ts';
import { shareCounts } from '../data/redis/shareRequestCounts.ts';
import { createSharedPages } from '../data/redis/sharedPages.ts';
import { type Clock, systemClock } from '../domain/clock.ts';
import type { PageSource } from '../domain/page.ts';
import { CREDITS_PER_REQUEST, createUpstreamCost } from '../domain/upstreamCost.ts';
import { createApolloServer } from '../graphql/execution/createApolloServer.ts';
import { Documents } from '../graphql/execution/documentCache.ts';
import { createKnownOperations } from '../graphql/execution/fastPath.ts';
import { createSchema, createSubgraphSchema } from '../graphql/schema/createSchema.ts';
import { createKeyapiClient } from '../keyapi/client.ts';
import { createEmulator } from '../keyapi/emulator/emulator.ts';
import { type AppEvent, logEvent } from '../observe/log/logEvent.ts';
import { createLog } from '../observe/log/createLog.ts';
import { createMetrics } from '../observe/metrics/createMetrics.ts';
import { createTracing, type Tracing } from '../observe/tracing/createTracing.ts';
import type { CacheSize } from '../observe/metrics/partMetrics.ts';
import { readManifest } from '../server/trustedDocuments/manifest.ts';
import { operationNames, type TrustedDocuments } from '../server/trustedDocuments/trustedDocuments.ts';
import { createServer } from '../server/createServer.ts';
import { serveMetricsApart } from '../server/routes/metricsRoute.ts';
import { type CheckOverload, watchOverload } from '../server/protection/overload.ts';
import { createRateLimiter } from '../server/protection/rateLimiter.ts';

/** What a caller may replace, and hear: its own log, a clock and chance that tests move, the events. */
export interface AppOptions {
  readonly log?: Logger;
  readonly clock?: Clock;
  /** From 0 up to 1. */
  readonly random?: () => number;
  readonly onEvent?: (event: AppEvent) => void;
  /** See `createKnownOperations`. */
  readonly prepareFrom?: number;
  /** Instead of a look at the process. */
  readonly checkOverload?: CheckOverload;
}

/** How long a closing program waits for pages that are on their way; `main.ts` counts on it. */
export const SETTLE_MS = 3000;

/**
 * Puts the program together: from its settings to a server that can listen, or be injected. Closing the server
 * closes everything. This file is the only place that knows every part.
 */
export async function createApp(config: Config, options: AppOptions = {}): Promise<FastifyInstance> {
  const { log = createAppLog(config), clock = systemClock, random = Math.random } = options;
  const trusted = await readTrusted(config, log);
  const condition = createCondition(clock, config.credits.perDay);
  const metrics =
    config.metrics &&
    createMetrics({ clock, creditsPerDay: config.credits.perDay, operationNames: operationNames(trusted) });
  const tracing = createTracing();
  const listeners = [
    logEvent(log, clock.monotonic),
    condition.onEvent,
    metrics?.onEvent,
    tracing?.onEvent,
    options.onEvent,
  ].filter((listener) => listener !== undefined);
  const onEvent = (event: AppEvent): void => {
    for (const listener of listeners) listener(event);
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
  const link = await createLink(config, clock, onEvent);
  const { requestsPerMinute } = config.limits;
  const rateLimiter =
    requestsPerMinute > 0 ? createRateLimiter(requestsPerMinute, clock.monotonic) : undefined;
  if (link && rateLimiter) shareCounts(link, rateLimiter);
  const wire = tracing?.aroundCalls(client.fetchPage) ?? client.fetchPage;
  const pages = await createPages(wire, { config, clock, random, onEvent, link, tracing });

  const schema = config.subgraph ? createSubgraphSchema() : createSchema();
  const documents = new Documents(config.cache.documentBytes);
  const caches = new Map<string, CacheSize>([
    ['pages', { bytes: () => pages.store.bytes, maxBytes: config.cache.maxBytes }],
    ['documents', { bytes: () => documents.bytes, maxBytes: config.cache.documentBytes }],
  ]);
  const { perOperation: maxCreditsPerOperation } = config.credits;
  const apollo = createApolloServer({
    schema,
    documents,
    introspection: config.introspection,
    sandbox: config.sandbox,
    maxCreditsPerOperation,
    documentLimits: config.documentLimits,
    log,
  });
  await apollo.start();
  const overload = watchOverload(config.limits, clock.monotonic);
  const waitMs = timeToWait(config.operationTimeoutMs);
  const server = await createServer({
    apollo,
    runKnown: createKnownOperations({
      schema,
      documents,
      maxCreditsPerOperation,
      rowBytes: config.cache.rowBytes,
      prepareFrom: options.prepareFrom,
    }),
    createContext: () => {
      const cost = createUpstreamCost();
      const deadlineAt = clock.monotonic() + waitMs;
      const pagesLeft = Math.floor(config.credits.perOperation / CREDITS_PER_REQUEST);
      const charts = createChartReader(pages.cache, { cost, deadlineAt, pagesLeft }, onEvent);
      return { operation: { name: undefined }, cost, charts, connections: new Map() };
    },
    trusted,
    maxBytes: config.cache.answerBytes,
    apiKeys: config.apiKeys,
    rateLimiter,
    trustProxy: config.trustProxy,
    limits: config.limits,
    checkOverload: options.checkOverload ?? overload.check,
    monotonic: clock.monotonic,
    onEvent,
    around: tracing?.aroundAnswers,
    watchBytes: (bytes) => void caches.set('answers', { bytes, maxBytes: config.cache.answerBytes }),
    metrics: config.metrics?.port === undefined ? metrics : undefined,
    corsOrigins: config.corsOrigins,
    source,
    readiness: () => condition.read(link?.isUp()),
    log,
  });
  metrics?.watch({ caches, isRedisUp: link && (() => link.isUp()) });
  if (metrics && config.metrics?.port !== undefined) {
    serveMetricsApart(server, metrics, { host: config.host, port: config.metrics.port });
  }
  server.addHook('onClose', async () => {
    overload.close();
    metrics?.close();
    await pages.close();
    await client.close();
    await emulator?.close();
  });

  if (emulator) log.info('Demo data: the embedded emulator stands in for KeyAPI, nothing is paid for');
  return server;
}

/**
 * The documents that clients may name by hash.
 *
 * @throws {ConfigError} When their file is none.
 */
async function readTrusted(
  { persistedDocuments }: Config,
  log: Logger,
): Promise<TrustedDocuments | undefined> {
  if (!persistedDocuments) return undefined;
  const { file, only } = persistedDocuments;
  try {
    const texts = await readManifest(file);
    log.info({ documents: texts.size, only }, 'Trusted documents');
    return { texts, only };
  } catch (error) {
    const { message } = error as Error;
    throw new ConfigError([
      `PERSISTED_DOCUMENTS: expected a JSON file of documents by their hash: ${message}`,
    ]);
  }
}

/** What an operation may wait of its time: the rest is for cutting, serialising and sending its answer. */
function timeToWait(operationTimeoutMs: number): number {
  return Math.max(operationTimeoutMs / 2, Math.min(operationTimeoutMs * 0.95, operationTimeoutMs - 50));
}

/** The page cache, with what it held when the program was closed before. */
async function createPages(
  wire: PageSource,
  options: PageSourceOptions & { readonly tracing: Tracing | undefined },
): Promise<{ readonly cache: PageCache; readonly store: PageStore; readonly close: () => Promise<void> }> {
  const { config, clock, random, onEvent, link, tracing } = options;
  const { file, ttlMs, staleMs, maxBytes, errorTtlMs } = config.cache;
  const store = new PageStore({ clock, staleMs, maxBytes });
  const cacheFile = file
    ? createCacheFile({ file, source: sourceId(config), store, ttlMs, clock, onEvent })
    : undefined;
  await cacheFile?.read();
  const source = createPageSource(wire, options);
  const admission = { store, clock, random, ttlMs };
  const attemptMs = config.keyapi.timeoutMs;
  const shared = link && createSharedPages({ ...admission, link, source, staleMs, errorTtlMs, attemptMs });
  const fetchAlone: FetchPage = async (key, fetchOptions) => ({
    // Times its pages as replicas do, which may read its cache file one day.
    page: admitPage(await source(key, fetchOptions), admission, Math.round(clock.now() * 1000)),
    origin: 'fetched',
  });
  const cacheOptions = {
    fetchPage: shared?.fetchPage ?? fetchAlone,
    shared,
    store,
    clock,
    ttlMs,
    refreshTimeoutMs: config.operationTimeoutMs,
    onEvent,
  };
  const cache = tracing?.createPageCache(cacheOptions) ?? new PageCache(cacheOptions);
  await link?.open();

  async function close(): Promise<void> {
    // What is on its way is paid for: worth a moment's wait, if it is kept.
    if (cacheFile || link) await pTimeout(cache.settle(), { milliseconds: SETTLE_MS, message: false });
    await cacheFile?.write();
    await link?.close();
  }
  return { cache, store, close };
}

/** The way to Redis. Demo data and each upstream's have names of their own there. */
async function createLink(
  config: Config,
  clock: Clock,
  onEvent: OnDataEvent,
): Promise<RedisLink | undefined> {
  if (!config.redis) return undefined;
  // Loaded only where it is used: its client takes time to start.
  const { createRedisLink } = await import('../data/redis/redisConnection.ts');
  const { url, prefix, timeoutMs } = config.redis;
  const source = createHash('sha256').update(sourceId(config)).digest('hex').slice(0, 8);
  const name = config.keyapi.emulator ? 'emulator' : source;
  return createRedisLink({ url, prefix: `${prefix}:${VALUES_VERSION}:${name}`, timeoutMs, clock, onEvent });
}

/** The program's logger, which knows what must not be in the log. */
export function createAppLog({ logLevel, keyapi, apiKeys, redis }: Config, to?: DestinationStream): Logger {
  const { password = '' } = redis?.url ?? {};
  const redisSecrets = [password, decodeURIComponent(password)];
  const secrets = [keyapi.token, ...(apiKeys ?? []).map(({ key }) => key), ...redisSecrets].filter(
    (text) => text !== undefined,
  );
  return createLog({ level: logLevel, secrets }, to);
}
