import type { RedisConnection } from '../data/redis/connection/redisConnection.ts';
import { createSharedStats } from '../data/redis/sharedStats.ts';
import { createBuyStats } from '../data/stats/buyStats.ts';
import { createUnsharedFetch } from '../data/stats/fetchUnshared.ts';
import { StatsCache } from '../data/stats/statsCache.ts';
import { StatsStore } from '../data/stats/statsStore.ts';
import { NegativeCache } from '../data/upstream/negativeCache.ts';
import type { Source } from '../domain/source.ts';
import { type BatchStats, type StatsBatch, statsEndpoint } from '../domain/videoStats.ts';
import type { AppContext } from './appContext.ts';

/** Dependencies of the cache of numbers. */
interface StatsOptions {
  readonly store: StatsStore;
  /** Where numbers come from that are not cached. */
  readonly source: Source<StatsBatch, BatchStats>;
  /** Whether calls are stopped. */
  readonly isStopped: () => boolean;
  readonly redis: RedisConnection | undefined;
}

/** Creates the store of numbers. */
export function createStatsStore({ config, clock }: AppContext): StatsStore {
  const { staleMs, statsBytes } = config.cache;
  return new StatsStore({ clock, staleMs, maxBytes: statsBytes });
}

/** Creates the cache of numbers: memory first, then Redis if it is configured, then the source. */
export function createStats(
  { config, clock, onEvent }: AppContext,
  { store, source, isStopped, redis }: StatsOptions,
): StatsCache {
  const { statsTtlMs: ttlMs, staleMs, errorTtlMs } = config.cache;
  const failures = new NegativeCache({ endpoint: statsEndpoint, clock, errorTtlMs, ttlMs });
  const buy = createBuyStats({ source, store, failures, clock, ttlMs, onEvent });
  const attemptMs = config.keyapi.timeoutMs;
  const shared =
    redis && createSharedStats({ redis, buy, store, failures, clock, ttlMs, staleMs, errorTtlMs, attemptMs });
  return new StatsCache({
    fetchStats: shared?.fetchStats ?? createUnsharedFetch(buy, store),
    lookUpShared: shared?.lookUp,
    isStopped,
    store,
    failures,
    clock,
    refreshTimeoutMs: config.operationTimeoutMs,
  });
}
