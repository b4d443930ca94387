import { systemClock } from '../../../src/compose/systemClock.ts';
import type { DataEvent } from '../../../src/data/events.ts';
import { createRedisConnection } from '../../../src/data/redis/connection/redisConnection.ts';
import { createSharedStats } from '../../../src/data/redis/sharedStats.ts';
import { createBuyStats } from '../../../src/data/stats/buyStats.ts';
import { StatsCache } from '../../../src/data/stats/statsCache.ts';
import { StatsStore } from '../../../src/data/stats/statsStore.ts';
import { NegativeCache } from '../../../src/data/upstream/negativeCache.ts';
import type { Clock } from '../../../src/domain/clock.ts';
import type { Operation } from '../../../src/domain/operation.ts';
import type { Source } from '../../../src/domain/source.ts';
import { createOriginCounts } from '../../../src/domain/upstreamCost.ts';
import {
  type BatchStats,
  type StatsBatch,
  statsEndpoint,
  type VideoStats,
} from '../../../src/domain/videoStats.ts';
import { createOperation } from '../../support/cache.ts';
import { makePage, makeVideo } from '../../support/charts.ts';
import { withSentErrors } from '../../support/sources.ts';
import { poll } from './poll.ts';
import { type TestRedis, timeOf, toConnectionOptions } from './redis.ts';

export type StatsSource = Source<StatsBatch, BatchStats>;

export interface StatsReplicaOptions {
  readonly url: string;
  readonly source: StatsSource;
  readonly clock?: Clock;
  readonly ttlMs?: number;
  readonly staleMs?: number;
  readonly errorTtlMs?: number;
  readonly attemptMs?: number;
}

/** Time limit of operations and refreshes; no test reaches it unless it says so. */
const TIME_LIMIT_MS = 60_000;

/** Numbers of which the views are known. */
export function makeStats(views: number): VideoStats {
  const counts = { likes: 2, comments: null, shares: 4, favorites: 5 };
  return { views, ...counts, publishedAt: 1_700_000_000_000, fetchedAt: Date.now() };
}

/** Starts the numbers of one replica, over `source`, connected to Redis: fresh for a minute, then stale for one. */
export async function startStatsReplica(options: StatsReplicaOptions) {
  const { url, source, ttlMs = 60_000, staleMs = 60_000, errorTtlMs = 1000, attemptMs = 5000 } = options;
  const { clock: baseClock = systemClock } = options;
  let waits = 0;
  const clock: Clock = {
    ...baseClock,
    sleep: (ms) => {
      waits++;
      return baseClock.sleep(ms);
    },
  };
  const events: DataEvent[] = [];
  const onEvent = (event: DataEvent): void => void events.push(event);
  // Commands may take long, since a slow machine must not look like a Redis that is down.
  const redis = createRedisConnection({
    ...toConnectionOptions(url),
    timeoutMs: 30_000,
    clock,
    onEvent,
  });
  const store = new StatsStore({ clock, staleMs, maxBytes: 2 ** 24 });
  const failures = new NegativeCache({ endpoint: statsEndpoint, clock, errorTtlMs, ttlMs });
  const buy = createBuyStats({ source: withSentErrors(source), store, failures, clock, ttlMs, onEvent });
  const shared = createSharedStats({
    redis,
    buy,
    store,
    failures,
    clock,
    ttlMs,
    staleMs,
    errorTtlMs,
    attemptMs,
  });
  const cache = new StatsCache({
    fetchStats: shared.fetchStats,
    lookUpShared: shared.lookUp,
    isStopped: () => false,
    store,
    failures,
    clock,
    refreshTimeoutMs: TIME_LIMIT_MS,
  });
  await redis.open();
  await poll(() => redis.isUp());

  /**
   * Reads the numbers of videos in an operation of its own, from a page that has these and `others`. Returns the views by
   * video: null for one that is not known, the code of an error; and the cost.
   */
  async function read(
    ids: readonly number[],
    others: readonly number[] = [],
    limits: Partial<Operation> = {},
  ) {
    const operation = { ...createOperation(clock.monotonic() + TIME_LIMIT_MS), ...limits };
    const rows = [...ids, ...others].map(makeVideo);
    const page = makePage(rows, 1, Math.max(1, rows.length));
    const videos = ids.map((id) => ({ video: makeVideo(id), page }));
    const found = await cache.fetch(videos, operation);
    const origins = createOriginCounts();
    const views = found.map((result) => {
      if (result instanceof Error) return (result as { code?: string }).code ?? 'other';
      origins[result.origin]++;
      return result.stats?.views ?? null;
    });
    const { requests, credits } = operation.cost;
    return { views, origins, requests, credits };
  }

  return {
    ...shared,
    redis,
    clock,
    store,
    failures,
    cache,
    events,
    read,
    /** How often it has slept so far, waiting for another replica. */
    waits: () => waits,
    close: () => redis.close(),
  };
}

export type StatsReplica = Awaited<ReturnType<typeof startStatsReplica>>;

/** Makes all numbers stale, in Redis and in these replicas. */
export async function expireStats(redis: TestRedis, replicas: readonly StatsReplica[]): Promise<void> {
  const { client } = redis;
  // A second ago: replicas know Redis's clock only roughly.
  const expiredAt = Math.floor(await timeOf(redis)) - 1000;
  for (const name of await client.keys('test:stats:*')) {
    // The header is `fetchedAt freshUntil ...`.
    const value = (await client.get(name)) ?? '';
    await client.set(name, value.replace(/^\d+ \d+/, `${expiredAt - 60_000} ${expiredAt}`), 'KEEPTTL');
  }
  for (const { store, clock } of replicas) {
    for (const entry of store.all()) store.add({ ...entry, freshUntil: clock.monotonic() - 1000 });
  }
}
