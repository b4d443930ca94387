import { History, type LookUpRanks } from '../data/history/history.ts';
import { HistoryStore } from '../data/history/historyStore.ts';
import type { ChangeFeed } from '../data/redis/changeFeed.ts';
import type { RedisConnection } from '../data/redis/redisConnection.ts';
import { createSharedHistory } from '../data/redis/sharedHistory.ts';
import { PAGE_SIZE } from '../domain/page.ts';
import type { PageRanks } from '../domain/ranks.ts';
import { DAY_MS, toUtcDay } from '../domain/utcDay.ts';
import type { AppContext } from './appContext.ts';
import type { Upstream } from './keyapi.ts';

/** Where else ranks of the last days are known. */
interface HistoryOptions {
  readonly upstream: Upstream;
  /** Undefined for a process on its own, as its feed. */
  readonly redis: RedisConnection | undefined;
  readonly changeFeed: ChangeFeed | undefined;
}

/** The ranks of the last days, and where they are stored. */
export interface HistoryParts {
  readonly history: History;
  readonly store: HistoryStore;
  /** Waits until what was noted is stored for other replicas. */
  settle(): Promise<void>;
}

/** Creates the ranks of the last days: in memory, over Redis if there is one. Demo data has days before the first one. */
export function createHistory(context: AppContext, options: HistoryOptions): HistoryParts {
  const { config, clock } = context;
  const { upstream, redis, changeFeed } = options;
  const { days, maxBytes } = config.history;
  const store = new HistoryStore({ clock, days, maxBytes });
  const history = new History(store);
  if (upstream.itemIdsOn) history.addLookUp(createDemoLookUp(context, upstream.itemIdsOn));
  const shared =
    redis && changeFeed && createSharedHistory({ redis, changeFeed, history, store, clock, days });
  return { history, store, settle: async () => shared?.settle() };
}

/** Gives the demo data's charts of earlier days, as if all their pages had been fetched at noon. */
function createDemoLookUp({ clock }: AppContext, itemIdsOn: NonNullable<Upstream['itemIdsOn']>): LookUpRanks {
  return async (chart, days) => {
    const today = toUtcDay(clock.now());
    return days
      .filter((day) => day < today)
      .flatMap((day) => toPages(itemIdsOn(chart, day), (day + 0.5) * DAY_MS));
  };
}

function toPages(itemIds: readonly string[], fetchedAt: number): PageRanks[] {
  return Array.from({ length: Math.ceil(itemIds.length / PAGE_SIZE) }, (_, index) => {
    const start = index * PAGE_SIZE;
    return {
      firstRank: start + 1,
      itemIds: itemIds.slice(start, start + PAGE_SIZE).join(),
      sequence: fetchedAt * 1000,
      fetchedAt,
    };
  });
}
