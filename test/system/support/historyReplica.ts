import { systemClock } from '../../../src/compose/systemClock.ts';
import { History } from '../../../src/data/history/history.ts';
import { HistoryStore } from '../../../src/data/history/historyStore.ts';
import { createChangeFeed } from '../../../src/data/redis/changeFeed.ts';
import { createRedisConnection } from '../../../src/data/redis/connection/redisConnection.ts';
import { createSharedHistory } from '../../../src/data/redis/sharedHistory.ts';
import type { Chart } from '../../../src/domain/chart.ts';
import type { Page } from '../../../src/domain/page.ts';
import { poll } from './poll.ts';
import { toConnectionOptions } from './redis.ts';

export interface HistoryReplicaOptions {
  readonly url: string;
  /** The wall clock. */
  readonly now: () => number;
  readonly days: number;
}

/** The ranks on a UTC day of a chart, by item id, with its snapshot; undefined when nothing is known. */
export interface KnownDay {
  readonly ranks: Readonly<Record<string, number>>;
  readonly snapshot: object | undefined;
}

/** Starts what one replica notes and knows of past days, connected to Redis. */
export async function startHistoryReplica({ url, now, days }: HistoryReplicaOptions) {
  const clock = { ...systemClock, now };
  const redis = createRedisConnection({
    ...toConnectionOptions(url),
    // Long, since a slow machine must not look like a Redis that is down.
    timeoutMs: 30_000,
    clock,
    onEvent: () => undefined,
  });
  const store = new HistoryStore({ clock, days, maxBytes: 1e7 });
  const history = new History(store);
  const changeFeed = createChangeFeed(redis);
  const { settle } = createSharedHistory({ redis, changeFeed, history, store, clock, days });
  let heartbeats = 0;
  redis.onHeartbeat(async () => void heartbeats++);
  await redis.open();
  await poll(() => redis.isUp());

  return {
    redis,
    history,
    store,
    /** Notes a page, and waits until Redis has it, if Redis is up. */
    async note(page: Page, sequence = Math.round(redis.now() * 1000)): Promise<void> {
      history.note(page, sequence);
      await settle();
    },
    /** Waits until what others have changed before is known here. */
    async follow(): Promise<void> {
      const before = heartbeats;
      // One may have begun before.
      await poll(() => heartbeats >= before + 2);
    },
    /** What is known of a day, after a lookup. */
    async read(chart: Chart, day: number): Promise<KnownDay | undefined> {
      await history.lookUp(chart, day + 1);
      const known = history.onDay(chart, day);
      return known && { ranks: Object.fromEntries(known.toRanks()), snapshot: known.snapshot };
    },
    close: () => redis.close(),
  };
}

export type HistoryReplica = Awaited<ReturnType<typeof startHistoryReplica>>;
