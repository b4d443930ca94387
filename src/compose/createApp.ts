import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Config } from '../config/loadConfig.ts';
import { withEmptyPageCheck } from '../data/pages/withEmptyPageCheck.ts';
import { withNegativeCache } from '../data/upstream/withNegativeCache.ts';
import type { Clock } from '../domain/clock.ts';
import { trendingVideos } from '../keyapi/endpoints/trendingVideos.ts';
import type { AppEvent } from '../observe/appEvent.ts';
import type { CheckOverload } from '../server/protection/overload.ts';
import type { AppContext } from './appContext.ts';
import { createGraphql } from './graphql.ts';
import { createHttp } from './http.ts';
import { createKeyapi } from './keyapi.ts';
import { createAppLog } from './log.ts';
import { createObservability } from './observability.ts';
import { createPages, createStore } from './pages.ts';
import { createSharedRateLimiter } from './rateLimiter.ts';
import { createRedis } from './redis.ts';
import { systemClock } from './systemClock.ts';
import { readTrustedDocuments } from './trustedDocuments.ts';
import { createUpstreamLayers } from './upstreamLayers.ts';

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
  const store = createStore(context);
  // Inside the layers: an empty page in place of rows is a failure like others.
  const client = withEmptyPageCheck(upstream.source(trendingVideos), { store, onEvent });
  const wrapped = layers.wrap(client, trendingVideos);
  const source = withNegativeCache(wrapped, trendingVideos, { ...config.cache, clock });
  const pages = await createPages(context, { store, source, redis, tracing });
  // Not before: its listeners must not miss the first heartbeat.
  await redis?.open();
  const graphql = await createGraphql(context, { pages, prepareFrom: options.prepareFrom });
  const { checkOverload } = options;
  const { responseCache, ...http } = await createHttp(context, {
    upstream,
    limits: layers.state,
    redis,
    rateLimiter,
    pages,
    graphql,
    trusted,
    observability,
    checkOverload,
  });
  observability.watch({
    caches: {
      pages: { bytes: () => store.bytes, maxBytes: config.cache.pageBytes },
      documents: { bytes: () => graphql.documents.bytes, maxBytes: config.cache.documentBytes },
      // A public label, which does not change.
      answers: responseCache && { bytes: () => responseCache.bytes, maxBytes: config.cache.responseBytes },
    },
    limits: layers.state,
    isRedisUp: redis && (() => redis.isUp()),
  });

  http.server.addHook('onClose', async () => {
    http.stopOverloadWatch();
    observability.close();
    await graphql.close();
    await pages.close();
    await redis?.close();
    await upstream.close();
  });
  return http.server;
}
