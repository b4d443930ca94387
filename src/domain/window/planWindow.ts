import type { Cursor } from '../cursor.ts';
import { type CachedPage, FULL_CHART, rankOffset } from '../page.ts';
import { byAge, withLoaded } from './chartExtent.ts';

/** Relay's pagination arguments, checked: sizes are 0..100, cursors belong to the chart. */
export interface WindowArguments {
  readonly first?: number | undefined;
  readonly after?: Cursor | undefined;
  readonly last?: number | undefined;
  readonly before?: Cursor | undefined;
}

/** What is needed of a window; it decides which pages are bought. */
export interface WindowNeed {
  /** The videos, and the cursors at the window's ends: every page of the window. */
  readonly rows: boolean;
  /** The chart's length and the data's age: any one page. */
  readonly facts: boolean;
}

/** The cached pages of a chart before anything is loaded, each page once. */
export interface KnownPages {
  /** Pages that cost nothing. */
  readonly fresh: readonly CachedPage[];
  /** Expired pages, which are fetched again before a window is cut from them: what they say may be outdated. */
  readonly expired: readonly CachedPage[];
  /** Pages that the window must not be cut from, but that may tell where a cursor's video is now. */
  readonly otherCopies: () => readonly CachedPage[];
}

/** A range of ranks, both ends included; empty when `last` is below `first`. */
export interface RankRange {
  readonly first: number;
  /** Infinity while it depends on the chart's length, which is not known yet. */
  readonly last: number;
}

/** The ranks of a window and the pages that it needs, as far as is known. */
export interface WindowPlan {
  readonly ranks: RankRange;
  /** Numbers of the pages of `pageSize` that must be loaded before the window can be cut. */
  readonly pages: readonly number[];
  /** True when any other page of the chart will do: its facts are needed, and no page is known. */
  readonly anyPage: boolean;
  readonly pageSize: number;
  /** Ranks of the whole chart; undefined until a page is known. */
  readonly chartLength: number | undefined;
  /** True when loading these pages cannot change the plan, provided that they are already known. */
  readonly isSettled: boolean;
}

/** The most ranks that a window may ask for. */
export const MAX_WINDOW = 100;

/** Size of a window without `first` and `last`. */
const DEFAULT_WINDOW = 20;

/**
 * Plans a window by the algorithm of the Relay Cursor Connections Specification (section 4.4): apply `after` and
 * `before`, then `first`, then `last`. The plan is based on the pages known so far, and new pages may change it: plan
 * again with them until all pages of the plan are loaded.
 *
 * @param known Pages of the chart, in any order.
 * @param loaded Pages that were read for this window, in any order; they replace known ones.
 */
export function planWindow(
  args: WindowArguments,
  need: WindowNeed,
  { fresh, expired, otherCopies }: KnownPages,
  loaded: readonly CachedPage[],
): WindowPlan {
  const valid = withLoaded(fresh, loaded);
  const known = expired.length === 0 ? valid : withLoaded([...expired, ...fresh], loaded);
  const { extent, pageSize } = known;

  const exists = (rank: number): boolean => rank <= (extent.length ?? Number.POSITIVE_INFINITY);
  const placesOf = (cursor: Cursor | undefined): number[] => {
    if (!cursor || cursor.itemId === null) return [];
    const likely = valid.byNumber.get(pageNumber(cursor.rank, valid.pageSize));
    if (likely && isInPlace(cursor, likely) && exists(cursor.rank)) return [cursor.rank];
    const found = locate(cursor, valid.byAge).filter(exists);
    return found.length > 0 ? found : locate(cursor, [...otherCopies()].sort(byAge)).filter(exists);
  };
  const places = { after: placesOf(args.after), before: placesOf(args.before) };
  /** The rank of a cursor: the best of its places after `skipped` of them; when none is left, its own rank. */
  const placeOf = (cursor: Cursor, skipped: number): number =>
    (cursor === args.after ? places.after : places.before)[skipped] ?? cursor.rank;
  const ranksAt = (skipped: number): RankRange =>
    rankRange(args, extent.length, (cursor) => placeOf(cursor, skipped));

  let skipped = 0;
  // When following a video costs too many pages, its next best place is tried, and finally its old rank.
  while (loaded.length > 0 && skipped < known.byAge.length && !isAffordable(ranksAt(skipped))) skipped++;
  const ranks = ranksAt(skipped);
  const plan = { ranks, pageSize, chartLength: extent.length };

  const needsLength = ranks.last === Number.POSITIVE_INFINITY;
  if (need.rows && !needsLength && !isEmpty(ranks)) {
    if (isDoubtfulTail()) return { ...plan, pages: [midwayPage()], anyPage: false, isSettled: false };
    return { ...plan, pages: pageNumbers(likelyRanks()), anyPage: false, isSettled: true };
  }
  // The window is empty only because of what pages say about the chart's length or a cursor's video: that may be
  // outdated.
  const isEmptied = need.rows && isEmpty(ranks) && !isEmpty(rankRange(args, undefined, ({ rank }) => rank));
  if ((needsLength || need.facts || isEmptied) && loaded.length === 0) {
    const newest = known.byAge.at(-1)?.number;
    const moved = isEmptied ? movedPages() : [];
    const pages = moved.length > 0 ? moved : [newest ?? pageNumber(ranks.first, pageSize)];
    return { ...plan, pages, anyPage: newest === undefined, isSettled: false };
  }
  return { ...plan, pages: [], anyPage: false, isSettled: true };

  function pageNumbers({ first, last }: RankRange): number[] {
    const numbers: number[] = [];
    for (let number = pageNumber(first, pageSize); number <= pageNumber(last, pageSize); number++) {
      numbers.push(number);
    }
    return numbers;
  }

  /** The pages of the cursors' videos that are not at their old ranks any more. */
  function movedPages(): number[] {
    const cursors = [args.after, args.before].filter((cursor) => cursor !== undefined);
    const moved = cursors.filter((cursor) => placeOf(cursor, skipped) !== cursor.rank);
    return [...new Set(moved.map((cursor) => pageNumber(placeOf(cursor, skipped), pageSize)))];
  }

  /** False when following a video that moved would cost more than one page beyond the window's own. */
  function isAffordable(range: RankRange): boolean {
    if (!Number.isFinite(range.last)) return true;
    const missing = pageNumbers(range).filter((number) => !valid.byNumber.has(number));
    const size = Math.max(0, range.last - range.first + 1);
    return missing.length === 0 || loaded.length + missing.length <= Math.ceil(size / pageSize) + 1;
  }

  /**
   * While the chart's length is not known, no ranks beyond a full chart are bought, and only the end of a window that
   * is counted from the end: in a shorter chart it would be another window.
   */
  function likelyRanks(): RankRange {
    if (extent.length !== undefined) return ranks;
    const last = Math.max(ranks.first, Math.min(ranks.last, FULL_CHART));
    return { first: args.last === undefined ? ranks.first : last, last };
  }

  /** Whether the window depends on an end of the chart that is somewhere before its claimed length. */
  function isDoubtfulTail(): boolean {
    return args.last !== undefined && ranks.last === extent.length && extent.isDoubtful;
  }

  /**
   * Finds the end of the chart by halving the range in which it may be, rather than buying empty pages one by one.
   * First it checks whether the chart has more ranks than a full one.
   */
  function midwayPage(): number {
    const isMoreThanFull = extent.lastSeenRank < FULL_CHART && ranks.last > FULL_CHART + pageSize;
    const middle = isMoreThanFull ? FULL_CHART + 1 : Math.ceil((extent.lastSeenRank + ranks.last) / 2);
    return Math.max(pageNumber(middle, pageSize), pageNumber(extent.lastSeenRank, pageSize) + 1);
  }
}

function rankRange(
  args: WindowArguments,
  length: number | undefined,
  rankOf: (cursor: Cursor) => number,
): RankRange {
  // The window begins after rank `start`.
  let start = args.after ? rankOf(args.after) : 0;
  let last = Math.min(
    args.before ? rankOf(args.before) - 1 : Number.POSITIVE_INFINITY,
    length ?? Number.POSITIVE_INFINITY,
  );
  const first = args.first ?? (args.last === undefined ? DEFAULT_WINDOW : undefined);
  if (first !== undefined) last = Math.min(last, start + first);
  if (args.last === 0) last = start;
  else if (args.last !== undefined && Number.isFinite(last)) start = Math.max(start, last - args.last);
  return { first: start + 1, last };
}

function isEmpty({ first, last }: RankRange): boolean {
  return last < first;
}

/**
 * The ranks of the cursor's video on these pages, the best first: the cursor's own rank if the video is still there,
 * else its rank on the newest page, and so on. A page that still has the video at its rank precedes a newer one that
 * has it elsewhere: paging that jumped would skip videos that were never shown, or go round in circles.
 *
 * @param pages Sorted by `byAge`.
 */
function locate(cursor: Cursor, pages: readonly CachedPage[]): number[] {
  const { rank, itemId } = cursor;
  if (pages.some((page) => isInPlace(cursor, page))) return [rank];
  const found: number[] = [];
  for (const page of pages) {
    const index = page.rows.findIndex((row) => row?.itemId === itemId);
    if (index >= 0) found.unshift(rankOffset(page) + index + 1);
  }
  return found;
}

/** Whether the cursor's video is at its old rank on this page. */
function isInPlace({ rank, itemId }: Cursor, page: CachedPage): boolean {
  const index = rank - rankOffset(page) - 1;
  // Reading beyond the ends of an array takes a multiple of the time.
  return index >= 0 && index < page.rows.length && page.rows[index]?.itemId === itemId;
}

/** Number of the page that has a rank. */
export function pageNumber(rank: number, pageSize: number): number {
  return Math.ceil(rank / pageSize);
}
