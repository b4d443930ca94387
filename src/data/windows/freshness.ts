import type { PageCopy } from '../../domain/page.ts';
import type { ChartChanges, HistoryFreshness } from '../history/operationHistory.ts';
import type { PageCache } from '../pages/pageCache.ts';
import type { StatsFreshness } from '../stats/operationStats.ts';
import type { StatsCache } from '../stats/statsCache.ts';

/** A copy of a page that a result was made of. */
export interface UsedCopy extends PageCopy {
  /** False when only videos were looked up on it. */
  readonly servesWindow: boolean;
}

/** How long a result may be cached, and ids of the pages that it is based on. Does not retain the pages. */
export interface Freshness {
  /**
   * Until when, on the monotonic clock, all pages and numbers are fresh and all covers valid. In the past when any of
   * them is stale.
   */
  readonly freshUntil: number;
  /** Until when all of them may be served stale, likewise. */
  readonly staleUntil: number;
  /** True when videos were looked up: any page that arrives may have newer copies of them. */
  readonly hasLookups: boolean;
  /**
   * `PageCache.changes`, as long as no page has arrived since these were read: executing the operation again would then
   * give the same result.
   */
  readonly changes: number;
  /** `StatsCache.changes`, likewise; undefined without numbers. */
  readonly statsChanges?: number | undefined;
  /** The past of charts that it was compared with, likewise. */
  readonly historyChanges?: readonly ChartChanges[] | undefined;
  readonly copies: readonly UsedCopy[];
}

/**
 * Records that a cached result was served again: its pages and numbers count as used, so that they are not evicted first,
 * and stale pages of windows are refreshed as if they had been read. Lookups never buy pages. Stale numbers need no refresh:
 * a result that has some is cached for a second at most.
 */
export function recordHit(cache: PageCache, stats: StatsCache, freshness: Freshness): void {
  const isFresh = cache.isFresh(freshness);
  for (const copy of freshness.copies) {
    const page = cache.touch(copy);
    if (page && freshness.statsChanges !== undefined) stats.touch(page);
    if (!isFresh && copy.servesWindow) cache.refresh(copy);
  }
}

/** The freshness of a result that other data limits too; undefined when it must not be cached. */
export function withLimit(
  freshness: Freshness | undefined,
  limit: StatsFreshness | HistoryFreshness | undefined,
): Freshness | undefined {
  if (!freshness || !limit) return freshness;
  return {
    ...freshness,
    ...limit,
    freshUntil: Math.min(freshness.freshUntil, limit.freshUntil),
    staleUntil: Math.min(freshness.staleUntil, limit.staleUntil),
  };
}
