import { PAGE_SIZE, type Page, rankOffset } from '../page.ts';

/** Oldest knowledge first; of pages fetched in the same moment, the one further down the chart last. */
export function byAge(a: Page, b: Page): number {
  return a.fetchedAt - b.fetchedAt || a.number - b.number;
}

/**
 * The page size that the chart is cut into: that of the newest page known, else `PAGE_SIZE`. Upstream may put
 * a smaller limit in force than was asked; the grid follows it.
 *
 * @param known Pages of one chart, sorted by `byAge`.
 */
export function gridOf(known: readonly Page[]): number {
  return known.at(-1)?.pageSize ?? PAGE_SIZE;
}

/**
 * How many ranks the chart has; undefined when nothing is known.
 *
 * `totalCount` has the word, a newer page before an older one, and the rows correct it: ranks that were seen
 * exist, an empty page ends the chart whatever it claims, and so does a short page without more behind it.
 * `hasMore` alone decides nothing: a chart is never cut short, nor a page bought, on its word.
 *
 * @param known Pages of one chart, sorted by `byAge`.
 */
export function chartLength(known: readonly Page[]): number | undefined {
  let length: number | undefined;
  let claimed: number | undefined;
  for (const page of known) {
    const start = rankOffset(page);
    const end = start + page.rows.length;
    const isLast = page.rows.length === 0 || (page.rows.length < page.pageSize && !page.hasMore);
    // What an older page showed still holds as long as the claim is the same and this page does not deny it.
    const believed = length === undefined || page.totalCount !== claimed ? page.totalCount : length;
    const shown = page.rows.length === 0 ? 0 : end;
    length = Math.max(shown, isLast ? Math.min(believed, end) : believed);
    claimed = page.totalCount;
  }
  return length;
}
