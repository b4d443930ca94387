import type { Chart } from '../../domain/chart.ts';
import type { Clock } from '../../domain/clock.ts';
import { dayOf, type PageRanks, toRankRanges } from '../../domain/ranks.ts';
import { DAY_MS } from '../../domain/utcDay.ts';
import type { History } from '../history/history.ts';
import type { HistoryStore } from '../history/historyStore.ts';
import { decodeRanks, encodeRanks } from '../history/ranksText.ts';
import type { ChangeFeed } from './changeFeed.ts';
import type { RedisConnection } from './connection/redisConnection.ts';
import { toSequence } from './pageImporter.ts';
import { readRanks } from './scripts/readRanks.ts';
import { BOUNDS } from './scripts/script.ts';
import { storeRanks } from './scripts/storeRanks.ts';
import { uploadOnUp } from './uploads.ts';

/** Dependencies of the shared history. */
interface SharedHistoryOptions {
  readonly redis: RedisConnection;
  readonly changeFeed: ChangeFeed;
  readonly history: History;
  readonly store: HistoryStore;
  readonly clock: Clock;
  /** For how many UTC days ranks are stored. */
  readonly days: number;
}

/** The ranks of the last days, as all replicas know them. */
export interface SharedHistory {
  /** Waits until what was noted is stored in Redis. */
  settle(): Promise<void>;
}

/**
 * Shares the ranks of the last days with the other replicas, including those that start later: ranks that this replica
 * records are stored in Redis, and those of other replicas are looked up there. After Redis was down or has lost its
 * data, this replica uploads the ranks that it knows.
 */
export function createSharedHistory(options: SharedHistoryOptions): SharedHistory {
  const { redis, changeFeed, history, store, clock, days } = options;
  const pending = new Set<Promise<void>>();

  history.addLookUp(lookUp);
  history.onNoted((chart, ranks) => {
    if (!redis.isUp()) return;
    // Ranks that cannot be stored now are uploaded when Redis is up again.
    const storing = storeInRedis(chart, dayOf(ranks), [ranks])
      .catch(() => undefined)
      .finally(() => pending.delete(storing));
    pending.add(storing);
  });
  changeFeed.listen({
    onReset: () => history.markAllOutdated(),
    onChanges: ({ chartDays }) => {
      for (const { chart, day } of chartDays) history.markOutdated(chart, day);
    },
  });
  uploadOnUp(redis, function* () {
    // The most recently used first.
    for (const { chart, days: known } of store.all().reverse()) {
      for (const { day, pages } of known) yield () => storeInRedis(chart, day, pages);
    }
  });

  async function lookUp(chart: Chart, wanted: readonly number[]): Promise<PageRanks[] | undefined> {
    if (!redis.isUp()) return undefined;
    const found = await readRanks(redis.run, chart, wanted).catch(() => undefined);
    const latest = toSequence(redis.now() + BOUNDS.MAX_LEAD_MS);
    return found?.flatMap((values, index) =>
      values
        .flatMap((value) => decodeRanks(value) ?? [])
        .filter((ranks) => dayOf(ranks) === wanted[index] && ranks.sequence <= latest),
    );
  }

  async function storeInRedis(chart: Chart, day: number, pages: readonly PageRanks[]): Promise<void> {
    // A day longer than needed: the replicas' clocks may differ.
    const leftMs = (day + days + 1) * DAY_MS - clock.now();
    if (leftMs <= 0) return;
    const latest = toSequence(redis.now());
    const shared = pages.map((ranks) => ({
      field: toRankRanges(ranks),
      value: encodeRanks({ ...ranks, sequence: Math.min(ranks.sequence, latest) }),
    }));
    await storeRanks(redis.run, { chart, day, pages: shared, leftMs, replica: redis.replica });
  }

  return { settle: async () => void (await Promise.all(pending)) };
}
