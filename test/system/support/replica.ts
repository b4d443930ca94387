import { systemClock } from '../../../src/compose/systemClock.ts';
import type { DataEvent } from '../../../src/data/events.ts';
import { createDailySnapshots } from '../../../src/data/history/dailySnapshots.ts';
import { History } from '../../../src/data/history/history.ts';
import { HistoryStore } from '../../../src/data/history/historyStore.ts';
import { PageCache } from '../../../src/data/pages/pageCache.ts';
import { PageStore } from '../../../src/data/pages/pageStore.ts';
import { withEmptyPageCheck } from '../../../src/data/pages/withEmptyPageCheck.ts';
import { createChangeFeed } from '../../../src/data/redis/changeFeed.ts';
import { createRedisConnection } from '../../../src/data/redis/connection/redisConnection.ts';
import { createSharedHistory } from '../../../src/data/redis/sharedHistory.ts';
import { createSharedLimits, type SharedLimitsOptions } from '../../../src/data/redis/sharedLimits.ts';
import { createSharedPages } from '../../../src/data/redis/sharedPages.ts';
import { createChartReader } from '../../../src/data/windows/chartReader.ts';
import type { Chart } from '../../../src/domain/chart.ts';
import type { Clock } from '../../../src/domain/clock.ts';
import { pageEndpoint } from '../../../src/domain/page.ts';
import type { WindowArguments } from '../../../src/domain/window/index.ts';
import { createOperation } from '../../support/cache.ts';
import { US_VIEWS } from '../../support/charts.ts';
import { type PageSource, withSentErrors } from '../../support/sources.ts';
import { poll } from './poll.ts';
import { type TestRedis, timeOf, toConnectionOptions } from './redis.ts';

export interface ReplicaOptions
  extends Partial<Pick<SharedLimitsOptions, 'qps' | 'creditsPerDay' | 'spent'>> {
  readonly url: string;
  /** Other settings of Redis. */
  readonly variables?: Record<string, string>;
  /** The names of keys in Redis: by default they begin with `test:`. */
  readonly toRedisKey?: (key: string) => string;
  readonly source: PageSource;
  readonly clock?: Clock;
  readonly ttlMs?: number;
  readonly staleMs?: number;
  readonly errorTtlMs?: number;
  readonly attemptMs?: number;
  /** How long a Redis command may take: long, since a slow machine must not look like a Redis that is down. */
  readonly timeoutMs?: number;
}

/** Time limit of operations and refreshes; no test reaches it. */
const TIME_LIMIT_MS = 60_000;

/** Starts the data layer of one replica, over `source`, connected to Redis. Pages are fresh for a minute, then stale for one. */
export async function startReplica(options: ReplicaOptions) {
  const { url, source, ttlMs = 60_000, staleMs = 60_000, errorTtlMs = 1000 } = options;
  const { attemptMs = 5000, timeoutMs = 30_000, qps = 10_000, creditsPerDay, spent } = options;
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
  const { server, toRedisKey } = toConnectionOptions(url, options.variables);
  const redis = createRedisConnection({
    server,
    toRedisKey: options.toRedisKey ?? toRedisKey,
    timeoutMs,
    clock,
    onEvent,
  });
  const store = new PageStore({ clock, staleMs, maxBytes: 2 ** 26 });
  const limits = createSharedLimits({ redis, qps, creditsPerDay, spent, attemptMs, clock, onEvent });
  const client = withEmptyPageCheck(withSentErrors(source), { store, onEvent });
  const limited = limits.protect(client, pageEndpoint);
  const changeFeed = createChangeFeed(redis);
  const historyStore = new HistoryStore({ clock, days: 8, maxBytes: 2 ** 20 });
  const history = new History(historyStore);
  createSharedHistory({ redis, changeFeed, history, store: historyStore, clock, days: 8 });
  const storing = { store, clock, random: () => 0, ttlMs };
  const shared = createSharedPages({
    ...storing,
    redis,
    changeFeed,
    source: limited,
    staleMs,
    errorTtlMs,
    attemptMs,
    onFetched: (page, sequence) => history.note(page, sequence),
    onEvent,
  });
  const { fetchPage } = shared;
  const refreshTimeoutMs = TIME_LIMIT_MS;
  const cache = new PageCache({
    fetchPage,
    sharedLookup: shared,
    isStopped: () => false,
    store,
    clock,
    ttlMs,
    refreshTimeoutMs,
  });
  let heartbeats = 0;
  redis.onHeartbeat(async () => void heartbeats++);
  await redis.open();
  await poll(() => redis.isUp());

  /** Reads a window in an operation of its own; returns its item ids, its facts and the cost. */
  async function read(args: WindowArguments = { first: 20 }, chart: Chart = US_VIEWS) {
    const operation = createOperation(clock.monotonic() + TIME_LIMIT_MS);
    const reader = createChartReader({ cache, operation });
    const window = await reader.readWindow(chart, args, { rows: true, facts: true });
    return {
      ids: window.videos.map(({ video }) => Number(video.itemId)),
      ...window.facts,
      ...operation.cost,
    };
  }

  /** Looks up videos in one operation; returns their titles and the cost. */
  async function find(...itemIds: string[]) {
    const operation = createOperation(clock.monotonic() + TIME_LIMIT_MS);
    const { findVideo } = createChartReader({ cache, operation });
    const found = await Promise.all(itemIds.map(findVideo));
    return { titles: found.map((copy) => copy?.video.title), ...operation.cost };
  }

  /** Has the first ranks of a chart noted on every day; it looks when `timers` say so. */
  function noteDaily(ranks: number, timers: Clock['timers']): void {
    const snapshots = createDailySnapshots({
      charts: [{ chart: US_VIEWS, ranks }],
      cache,
      history,
      clock: { ...clock, timers },
      isIdle: () => true,
      canShare: () => redis.isUp(),
      onEvent,
    });
    snapshots.start();
  }

  /** Resolves after a complete heartbeat that began after this call. */
  async function nextHeartbeat(): Promise<void> {
    const last = heartbeats + 2;
    await poll(() => heartbeats >= last);
  }

  return {
    redis,
    clock,
    store,
    cache,
    history,
    events,
    noteDaily,
    read,
    find,
    nextHeartbeat,
    fetch: limited,
    limits,
    /** How often it has slept so far, waiting for another replica or for the rate limit. */
    waits: () => waits,
    close: () => redis.close(),
  };
}

export type TestReplica = Awaited<ReturnType<typeof startReplica>>;

/** Makes all pages stale, in Redis and in these replicas. */
export async function expirePages(redis: TestRedis, replicas: readonly TestReplica[]): Promise<void> {
  const { client } = redis;
  const expiredAt = Math.floor(await timeOf(redis));
  for (const name of await client.keys('test:generation:*')) await client.hset(name, 'freshUntil', expiredAt);
  for (const name of await client.keys('test:page:*')) {
    // The header is `sequence generation freshUntil ...`, the body is binary.
    const value = (await client.getBuffer(name))?.toString('latin1') ?? '';
    const expired = value.replace(/^(\d+ \d+) \d+/, `$1 ${expiredAt}`);
    await client.set(name, Buffer.from(expired, 'latin1'), 'KEEPTTL');
  }
  for (const { store, clock } of replicas) {
    for (const page of store.all()) store.add({ ...page, freshUntil: clock.monotonic() });
  }
}
