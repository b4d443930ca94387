import { createChartReader } from '../../../src/data/chartReader.ts';
import type { DataEvent } from '../../../src/data/events.ts';
import { PageCache } from '../../../src/data/pageCache.ts';
import { PageStore } from '../../../src/data/pageStore.ts';
import { createRedisLink } from '../../../src/data/redis/redisLink.ts';
import { createSharedPages } from '../../../src/data/redis/sharedPages.ts';
import {
  type SharedAllowanceOptions,
  withSharedAllowance,
} from '../../../src/data/redis/withSharedAllowance.ts';
import type { Chart } from '../../../src/domain/chart.ts';
import { type Clock, systemClock } from '../../../src/domain/clock.ts';
import type { PageSource } from '../../../src/domain/page.ts';
import type { WindowArguments } from '../../../src/domain/window/index.ts';
import { createOperation } from '../../support/cache.ts';
import { US_VIEWS } from '../../support/charts.ts';

export interface ReplicaOptions
  extends Partial<Pick<SharedAllowanceOptions, 'qps' | 'creditsPerDay' | 'spent'>> {
  readonly url: string;
  readonly source: PageSource;
  readonly clock?: Clock;
  readonly ttlMs?: number;
  readonly staleMs?: number;
  readonly errorTtlMs?: number;
  readonly attemptMs?: number;
  /** How long Redis may take for a command: a busy machine is not one that is down. */
  readonly timeoutMs?: number;
}

/** The data layer of one replica, over `source`: fresh for a minute, then stale for another. */
export async function startReplica(options: ReplicaOptions) {
  const { url, source, clock = systemClock, ttlMs = 60_000, staleMs = 60_000, errorTtlMs = 1000 } = options;
  const { attemptMs = 5000, timeoutMs = 5000, qps = 10_000, creditsPerDay, spent } = options;
  const events: DataEvent[] = [];
  const onEvent = (event: DataEvent): void => void events.push(event);
  const link = createRedisLink({ url: new URL(url), prefix: 'test', timeoutMs, clock, onEvent });
  const store = new PageStore({ clock, staleMs, maxBytes: 2 ** 26 });
  const allowed = withSharedAllowance(source, { link, qps, creditsPerDay, spent, attemptMs, clock, onEvent });
  const admission = { store, clock, random: () => 0, ttlMs };
  const shared = createSharedPages({ ...admission, link, source: allowed, staleMs, errorTtlMs, attemptMs });
  const { fetchPage } = shared;
  const cache = new PageCache({ fetchPage, shared, store, clock, ttlMs, refreshTimeoutMs: 10_000, onEvent });
  await link.open();

  /** Reads a window as an operation of its own; gives its item ids and what it cost. */
  async function read(args: WindowArguments = { first: 20 }, chart: Chart = US_VIEWS) {
    const operation = createOperation(clock.monotonic() + 10_000);
    const reader = createChartReader(cache, operation, onEvent);
    const window = await reader.readWindow(chart, args, { rows: true, facts: true });
    return {
      ids: window.videos.map(({ video }) => Number(video.itemId)),
      ...window.facts,
      ...operation.cost,
    };
  }

  /** Looks videos up in an operation of its own; gives their titles and what it cost. */
  async function find(...itemIds: string[]) {
    const operation = createOperation(clock.monotonic() + 10_000);
    const { findVideo } = createChartReader(cache, operation, onEvent);
    const found = await Promise.all(itemIds.map(findVideo));
    return { titles: found.map((video) => video?.title), ...operation.cost };
  }

  return { link, store, cache, events, read, find, fetch: allowed, close: () => link.close() };
}

export type TestReplica = Awaited<ReturnType<typeof startReplica>>;
