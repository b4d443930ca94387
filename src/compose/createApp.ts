import type { FastifyInstance } from 'fastify';
import pTimeout from 'p-timeout';
import type { Logger } from 'pino';
import type { Config } from '../config/loadConfig.ts';
import type { Clock } from '../domain/clock.ts';
import { trendingVideos } from '../keyapi/endpoints/trendingVideos.ts';
import { videoAnalytics } from '../keyapi/endpoints/videoAnalytics.ts';
import type { AppEvent } from '../observe/appEvent.ts';
import type { CheckOverload } from '../server/protection/overload.ts';
import type { AppContext } from './appContext.ts';
import { openCacheFile } from './cacheFile.ts';
import { chooseExplorer } from './explorer.ts';
import { createGraphql } from './graphql.ts';
import { createHistory } from './history.ts';
import { createHttp } from './http.ts';
import { createKeyapi } from './keyapi.ts';
import { createAppLog } from './log.ts';
import { createObservability } from './observability.ts';
import { createPageSource, createPageStore, createPages } from './pages.ts';
import { createSharedRateLimiter } from './rateLimiter.ts';
import { createRedis } from './redis.ts';
import { createSnapshots } from './snapshots.ts';
import { createStats, createStatsStore } from './stats.ts';
import { systemClock } from './systemClock.ts';
import { readTrustedDocuments } from './trustedDocuments.ts';
import { createUpstreamLayers } from './upstreamLayers.ts';

/** How long closing waits for calls in flight, in milliseconds. */
export const SETTLE_MS = 3000;

/** What tests replace or listen to. */
export interface AppOptions {
  readonly log?: Logger;
  readonly clock?: Clock;
  /** From 0 up to 1. */
  readonly random?: () => number;
  readonly onEvent?: (event: AppEvent) => void;
  /** See `createFastPath`. */
  readonly prepareFrom?: number;
  /** Replaces the check of the process. */
  readonly checkOverload?: CheckOverload;
}

/**
 * Composes the program from its parts: from a configuration to a server that is ready to listen. Closing the server
 * closes all parts.
 *
 * @throws {ConfigError} When the manifest of trusted documents cannot be read.
 */
export async function createApp(config: Config, options: AppOptions = {}): Promise<FastifyInstance> {
  const { log = createAppLog(config), clock = systemClock, random = Math.random } = options;
  const trusted = await readTrustedDocuments(config, log);
  const observability = createObservability({ config, clock, log, trusted, onEvent: options.onEvent });
  const { tracing, onEvent } = observability;
  const context: AppContext = { config, clock, random, log, onEvent };

  const upstream = await createKeyapi(context, tracing);
  const redis = await createRedis(context);
  const rateLimiter = createSharedRateLimiter(context, redis);
  const layers = createUpstreamLayers({ ...context, redis });
  const stores = { pages: createPageStore(context), stats: createStatsStore(context) };
  const cacheFile = await openCacheFile(context, stores);
  const { history, ...historyParts } = await createHistory(context, { upstream, redis });
  const pages = createPages(context, {
    store: stores.pages,
    source: createPageSource(context, { upstream, layers, store: stores.pages }),
    isStopped: () => layers.isStopped(trendingVideos),
    redis,
    onFetched: (page, sequence) => history.note(page, sequence),
    tracing,
  });
  const snapshots = createSnapshots(context, { history, cache: pages.cache, layers, redis });
  const stats = createStats(context, {
    store: stores.stats,
    source: layers.wrap(upstream.source(videoAnalytics), videoAnalytics),
    isStopped: () => layers.isStopped(videoAnalytics),
    redis,
  });
  // Opened only now, so that its listeners do not miss the first heartbeat.
  await redis?.open();
  const explorer = chooseExplorer(config);
  const { prepareFrom } = options;
  const graphql = await createGraphql(context, { pages, stats, history, explorer, prepareFrom });
  const { checkOverload } = options;
  const { responseCache, ...http } = createHttp(context, {
    upstream,
    limits: layers.state,
    redis,
    rateLimiter,
    pages,
    stats,
    history,
    graphql,
    explorer,
    trusted,
    observability,
    checkOverload,
  });
  observability.watch({
    caches: {
      pages: { bytes: () => stores.pages.bytes, maxBytes: config.cache.pageBytes },
      stats: { bytes: () => stores.stats.bytes, maxBytes: config.cache.statsBytes },
      history: { bytes: () => historyParts.store.bytes, maxBytes: config.history.maxBytes },
      documents: { bytes: () => graphql.documents.bytes, maxBytes: config.cache.documentBytes },
      // A public label, which does not change.
      answers: responseCache && { bytes: () => responseCache.bytes, maxBytes: config.cache.responseBytes },
    },
    limits: layers.state,
    isRedisUp: redis && (() => redis.isUp()),
  });

  async function settle(): Promise<void> {
    await Promise.all([pages.cache.settle(), stats.settle()]);
    await historyParts.settle();
  }

  snapshots.start();
  http.server.addHook('onClose', async () => {
    snapshots.stop();
    http.stopOverloadWatch();
    observability.close();
    await graphql.close();
    // Pages in flight are already paid for: wait for them if a file or Redis can store them.
    if (cacheFile || redis) await pTimeout(settle(), { milliseconds: SETTLE_MS, message: false });
    await cacheFile?.write();
    await historyParts.close();
    await redis?.close();
    await upstream.close();
  });
  return http.server;
}
