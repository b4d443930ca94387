import { type ChartRanks, chartId } from '../../domain/chart.ts';
import { toUtcDay } from '../../domain/utcDay.ts';
import type { OnDataEvent } from '../events.ts';
import type { PageCache } from '../pages/pageCache.ts';
import type { History } from './history.ts';
import { planSnapshot } from './planSnapshot.ts';

/** What this process has fetched of a chart on one UTC day, in order to note its ranks. */
export interface FetchedPages {
  /** Days since 1970-01-01. */
  readonly day: number;
  /** How many pages it has requested from KeyAPI. */
  count: number;
  /** Each as `size:number`, both as requested and as received. */
  readonly ids: Set<string>;
}

/** What noting the ranks of a chart needs. */
export interface TakeSnapshotOptions {
  readonly cache: Pick<PageCache, 'views' | 'lookUpShared' | 'fetchAnew'>;
  readonly history: Pick<History, 'onDay' | 'lookUp' | 'markOutdated'>;
  readonly onEvent: OnDataEvent;
}

/**
 * Fetches the pages of a chart that nobody has fetched on a UTC day, one after the other, each only if `mayFetch` still
 * holds then. Emits an event when the last of them came from KeyAPI.
 *
 * @returns Whether all have been fetched.
 * @throws {ApiError} That of the first page that could not be fetched.
 */
export async function takeSnapshot(
  { chart, ranks }: ChartRanks,
  fetched: FetchedPages,
  mayFetch: () => boolean,
  { cache, history, onEvent }: TakeSnapshotOptions,
): Promise<boolean> {
  const { day } = fetched;
  const asked = new Set<string>();

  function plan() {
    const known = { day, cached: cache.views(chart).newest, noted: history.onDay(chart, day) };
    const { missing, pageSize, ranks: wanted } = planSnapshot(ranks, known);
    // Recorded for any response: otherwise a page without readable rows would be fetched again and again.
    const next = missing.find((number) => !fetched.ids.has(`${pageSize}:${number}`));
    return { next, pageSize, wanted };
  }

  for (;;) {
    // Free: imports pages and ranks of other replicas. Pages first, because importing them records their ranks.
    await cache.lookUpShared(chart);
    history.markOutdated(chart, day);
    await history.lookUp(chart, day + 1);
    const { next: number, pageSize } = plan();
    if (number === undefined) return true;
    const id = `${pageSize}:${number}`;
    // Another replica had a copy of another day, which was imported instead. The next attempt replaces it.
    if (asked.has(id) || !mayFetch()) return false;
    asked.add(id);
    const { page, origin } = await cache.fetchAnew({ chart, number });
    if (origin === 'fetched' || toUtcDay(page.fetchedAt) === day) {
      fetched.ids.add(id).add(`${page.pageSize}:${number}`);
    }
    if (origin !== 'fetched') continue;
    fetched.count++;
    const { next, wanted } = plan();
    if (next === undefined && wanted > 0)
      onEvent({ type: 'snapshotTaken', chart: chartId(chart), ranks: wanted, pages: fetched.count });
  }
}
