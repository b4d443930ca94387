import { type KnownPage, PAGE_SIZE, type Page, rankOffset } from '../page.ts';

/** How far a chart reaches, as far as is known. */
export interface ChartExtent {
  /** Ranks of the chart; undefined when nothing is known. */
  readonly length: number | undefined;
  /** Ranks up to this one were seen to exist. */
  readonly shown: number;
  /** True when pages ended the chart before its claimed length, and more of what is left may not exist either. */
  readonly isDoubtful: boolean;
}

/** Compares pages by age, the oldest first. */
export function byAge(a: KnownPage, b: KnownPage): number {
  return a.sequence - b.sequence;
}

/** Pages of one chart, each once, and what they say of it together. */
export interface ChartPages {
  /** The oldest first. */
  readonly byAge: readonly KnownPage[];
  readonly numbers: ReadonlySet<number>;
  readonly extent: ChartExtent;
  /** See `pageSizeOf`. */
  readonly pageSize: number;
}

/** By the array that they came in: charts are read far more often than pages come. */
const known = new WeakMap<readonly KnownPage[], ChartPages>();

/** What pages of one chart say, in any order; the array must not be changed afterwards. */
function toChartPages(pages: readonly KnownPage[]): ChartPages {
  const sorted = [...pages].sort(byAge);
  const numbers = new Set(pages.map(({ number }) => number));
  return { byAge: sorted, numbers, extent: extentOf(sorted), pageSize: pageSizeOf(sorted) };
}

/** Pages that are held, those that were `loaded` in place of them. */
export function withLoaded(held: readonly KnownPage[], loaded: readonly KnownPage[]): ChartPages {
  if (loaded.every((page) => held.includes(page))) {
    const pages = known.get(held) ?? toChartPages(held);
    known.set(held, pages);
    return pages;
  }
  const loadedNumbers = new Set(loaded.map(({ number }) => number));
  return toChartPages([...held.filter(({ number }) => !loadedNumbers.has(number)), ...loaded]);
}

/**
 * The page size that the chart is cut into: that of the newest page known, else `PAGE_SIZE`. Upstream may put
 * a smaller limit in force than was asked; the grid follows it.
 *
 * @param known Pages of one chart, sorted by `byAge`.
 */
export function pageSizeOf(known: readonly KnownPage[]): number {
  return known.at(-1)?.pageSize ?? PAGE_SIZE;
}

/**
 * How far the chart reaches. The newest page's `totalCount` has the word, and the rows of all pages that claim
 * the same correct it: ranks that were seen exist, an empty page ends the chart whatever it claims, and so does
 * a short page without more behind it, unless rows were seen further down. `hasMore` alone decides nothing: a
 * chart is never cut short, nor a page bought, on its word.
 *
 * @param known Pages of one chart, sorted by `byAge`.
 */
export function extentOf(known: readonly KnownPage[]): ChartExtent {
  const newest = known.at(-1);
  if (!newest) return { length: undefined, shown: 0, isDoubtful: false };
  const { totalCount: claimed, pageSize } = newest;
  const pages = known.filter(({ totalCount }) => totalCount === claimed);
  const shown = Math.max(0, ...pages.filter(({ rows }) => rows.length > 0).map(endOf));
  const ends = pages.filter(endsChart).map(endOf);
  const end = Math.min(claimed, ...ends.filter((rank) => rank >= shown));
  const isDenied = end < claimed;
  // Between the last row that was seen and an empty page right behind its page there is nothing.
  const length = isDenied && shown + pageSize > end ? shown : Math.max(shown, end);
  return { length, shown, isDoubtful: isDenied && shown + pageSize < end };
}

/** The last rank on a page; for an empty one, the last before it. */
function endOf(page: Page): number {
  return rankOffset(page) + page.rows.length;
}

function endsChart({ rows, pageSize, hasMore }: Page): boolean {
  return rows.length === 0 || (rows.length < pageSize && !hasMore);
}
