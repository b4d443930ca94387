import { memoise } from '../memoise.ts';
import { type CachedPage, PAGE_SIZE, type Page, rankOffset } from '../page.ts';
import { toByNumber } from '../pageNumbers.ts';

/** The length of a chart, as far as the known pages tell. */
interface ChartExtent {
  /** Undefined when no page is known. */
  readonly length: number | undefined;
  /** The last rank that was seen to exist. */
  readonly lastSeenRank: number;
  /** True when pages show that the chart ends before its claimed length, but not where. */
  readonly isDoubtful: boolean;
}

/** Compares pages by age, the oldest first. */
export function byAge(a: CachedPage, b: CachedPage): number {
  return a.sequence - b.sequence;
}

/** Pages of one chart, each once, and what they tell about it together. */
interface ChartPages {
  /** The oldest first. */
  readonly byAge: readonly CachedPage[];
  readonly byNumber: ReadonlyMap<number, CachedPage>;
  readonly extent: ChartExtent;
  /** See `pageSizeOf`. */
  readonly pageSize: number;
}

/** Charts are read far more often than their pages change. */
const toKnownPages = memoise(toChartPages);

/** What pages of one chart, in any order, tell about it. */
function toChartPages(pages: readonly CachedPage[]): ChartPages {
  const sorted = [...pages].sort(byAge);
  return {
    byAge: sorted,
    byNumber: toByNumber(pages),
    extent: extentOf(sorted),
    pageSize: pageSizeOf(sorted),
  };
}

/** Cached pages, replaced by those that were `loaded`. The array `cached` must not be changed afterwards. */
export function withLoaded(cached: readonly CachedPage[], loaded: readonly CachedPage[]): ChartPages {
  if (loaded.every((page) => cached.includes(page))) return toKnownPages(cached);
  const loadedNumbers = new Set(loaded.map(({ number }) => number));
  return toChartPages([...cached.filter(({ number }) => !loadedNumbers.has(number)), ...loaded]);
}

/**
 * The page size of a chart: that of the newest known page, else `PAGE_SIZE`. Upstream may apply a smaller limit than
 * was requested; the page size follows it.
 *
 * @param known Pages of one chart, sorted by `byAge`.
 */
export function pageSizeOf(known: readonly CachedPage[]): number {
  return known.at(-1)?.pageSize ?? PAGE_SIZE;
}

/**
 * The length of a chart. It is the newest page's `totalCount`, corrected by the rows of all pages that claim the same:
 * ranks that were seen exist, an empty page ends the chart whatever it claims, and so does a short page without
 * `hasMore`, unless rows were seen further down. `hasMore` alone decides nothing: no chart is cut short, and no page
 * bought, because of it.
 *
 * @param known Pages of one chart, sorted by `byAge`.
 */
export function extentOf(known: readonly CachedPage[]): ChartExtent {
  const newest = known.at(-1);
  if (!newest) return { length: undefined, lastSeenRank: 0, isDoubtful: false };
  const { totalCount: claimed, pageSize } = newest;
  const pages = known.filter(({ totalCount }) => totalCount === claimed);
  const lastSeenRank = Math.max(0, ...pages.filter(({ rows }) => rows.length > 0).map(endOf));
  const ends = pages.filter(endsChart).map(endOf);
  const end = Math.min(claimed, ...ends.filter((rank) => rank >= lastSeenRank));
  const endsEarly = end < claimed;
  // When the page after the last row is the empty one, the chart ends with that row.
  const length = endsEarly && lastSeenRank + pageSize > end ? lastSeenRank : Math.max(lastSeenRank, end);
  return { length, lastSeenRank, isDoubtful: endsEarly && lastSeenRank + pageSize < end };
}

/** The last rank on a page; for an empty one, the last before it. */
function endOf(page: Page): number {
  return rankOffset(page) + page.rows.length;
}

function endsChart({ rows, pageSize, hasMore }: Page): boolean {
  return rows.length === 0 || (rows.length < pageSize && !hasMore);
}
