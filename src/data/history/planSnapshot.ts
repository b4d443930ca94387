import { type CachedPage, PAGE_SIZE } from '../../domain/page.ts';
import { type ChartDay, lastRankOf } from '../../domain/ranks.ts';
import { toUtcDay } from '../../domain/utcDay.ts';
import { byAge, extentOf } from '../../domain/window/index.ts';

/** What is known of a chart on one UTC day. */
interface KnownChart {
  /** Days since 1970-01-01. */
  readonly day: number;
  /** The newest copy of each cached page, of whatever day, in any order. */
  readonly cached: readonly CachedPage[];
  /** Undefined when no page of that day was noted. */
  readonly noted: ChartDay | undefined;
}

/** The pages to fetch so that the ranks of a chart are recorded on a day. */
interface SnapshotPlan {
  /** The numbers of the pages that have ranks which nobody fetched on that day, top first. */
  readonly missing: readonly number[];
  /** The size of these pages. */
  readonly pageSize: number;
  /** How many of the wanted ranks the chart has, as far as is known. */
  readonly ranks: number;
}

/**
 * Plans which pages of a chart have to be fetched so that its ranks from 1 to `ranks` are noted on a UTC day. A rank
 * whose row could not be read counts as fetched.
 */
export function planSnapshot(ranks: number, { day, cached, noted }: KnownChart): SnapshotPlan {
  const known = [...cached].sort(byAge);
  const newest = known.at(-1);
  const ofDay = known.filter((page) => toUtcDay(page.fetchedAt) === day);
  // The end of the chart on another day says little about this day; only its claimed length is used.
  const length = (ofDay.length > 0 ? extentOf(ofDay).length : newest?.totalCount) ?? ranks;
  const pageSize = newest?.pageSize ?? PAGE_SIZE;
  const fetched = (noted?.pages ?? []).map((page) => ({ first: page.firstRank, last: lastRankOf(page) }));
  const isFetched = (rank: number): boolean =>
    fetched.some(({ first, last }) => first <= rank && rank <= last);
  const missing = new Set<number>();
  // A chart that was empty may have rows again: its first page shows that.
  for (let rank = 1; rank <= Math.min(ranks, Math.max(1, length)); rank++) {
    if (!isFetched(rank)) missing.add(Math.ceil(rank / pageSize));
  }
  return { missing: [...missing], pageSize, ranks: Math.min(ranks, length) };
}
