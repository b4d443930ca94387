import type { FastifyInstance } from 'fastify';
import type { History } from '../data/history/history.ts';
import type { RedisConnection } from '../data/redis/connection/redisConnection.ts';
import type { StatsCache } from '../data/stats/statsCache.ts';
import type { LimitsState } from '../data/upstream/limitsState.ts';
import { recordHit } from '../data/windows/freshness.ts';
import { describeReadiness } from '../observe/readiness.ts';
import { createServer } from '../server/createServer.ts';
import type { LandingPageOptions } from '../server/explorer/landingPage.ts';
import { type CheckOverload, watchOverload } from '../server/protection/overload.ts';
import type { RateLimiter } from '../server/protection/rateLimiter.ts';
import { ResponseCache } from '../server/responses/responseCache.ts';
import { serveMetricsSeparately } from '../server/serveMetricsSeparately.ts';
import type { TrustedDocuments } from '../server/trustedDocuments/trustedDocuments.ts';
import type { AppContext } from './appContext.ts';
import type { Graphql } from './graphql.ts';
import type { Upstream } from './keyapi.ts';
import type { Observability } from './observability.ts';
import type { Pages } from './pages.ts';

/** Dependencies of the HTTP server. */
interface HttpOptions {
  readonly upstream: Upstream;
  readonly limits: LimitsState;
  readonly redis: RedisConnection | undefined;
  /** Undefined when there is no limit. */
  readonly rateLimiter: RateLimiter | undefined;
  readonly pages: Pages;
  readonly stats: StatsCache;
  readonly history: History;
  readonly graphql: Graphql;
  readonly explorer: LandingPageOptions;
  readonly trusted: TrustedDocuments | undefined;
  readonly observability: Observability;
  /** Replaces the check of the process. */
  readonly checkOverload: CheckOverload | undefined;
}

/** The HTTP server, ready to listen. */
interface Http {
  readonly server: FastifyInstance;
  /** Undefined when responses are not cached. */
  readonly responseCache: ResponseCache | undefined;
  readonly stopOverloadWatch: () => void;
}

/** Creates the HTTP server with its response cache and overload check. */
export function createHttp(context: AppContext, options: HttpOptions): Http {
  const { config, clock, onEvent, log } = context;
  const { upstream, limits, redis, rateLimiter, pages, stats, history, graphql, trusted, observability } =
    options;
  const { monotonic } = clock;
  const { metrics, tracing } = observability;
  const { responseBytes } = config.cache;
  const responseCache =
    responseBytes > 0
      ? new ResponseCache({
          maxBytes: responseBytes,
          monotonic,
          isCurrent: ({ changes, statsChanges = stats.changes }) =>
            changes === pages.cache.changes && statsChanges === stats.changes,
          isOutdated: ({ historyChanges = [] }) =>
            historyChanges.some(({ chart, changes }) => changes !== history.changesOf(chart)),
          recordHit: (freshness) => recordHit(pages.cache, stats, freshness),
        })
      : undefined;
  const overload = watchOverload(config.limits, monotonic);

  const server = createServer({
    graphql: {
      startOperation: graphql.startOperation,
      trusted,
      responseCache,
      apiKeys: config.apiKeys,
      rateLimiter,
      trustProxy: config.trustProxy,
      checkOverload: options.checkOverload ?? overload.check,
      withSpans: tracing?.withOperationSpans,
    },
    corsOrigins: config.corsOrigins,
    limits: config.limits,
    source: upstream.name,
    readiness: () => describeReadiness(limits, redis?.isUp()),
    metrics: config.metrics?.port === undefined ? metrics : undefined,
    onRoute: tracing?.onRoute,
    explorer: options.explorer.graphiql ? options.explorer : undefined,
    monotonic,
    onEvent,
    log,
  });
  if (metrics && config.metrics?.port !== undefined) {
    serveMetricsSeparately(server, metrics, {
      host: config.host,
      port: config.metrics.port,
      onRoute: tracing?.onRoute,
      limits: config.limits,
      source: upstream.name,
      log,
    });
  }
  return { server, responseCache, stopOverloadWatch: overload.close };
}
