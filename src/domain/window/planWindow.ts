import type { Cursor } from '../cursor.ts';
import { type Page, rankOffset } from '../page.ts';
import { byAge, chartLength, gridOf } from './chartFacts.ts';

/** Relay's pagination arguments, checked: sizes are 0..100, cursors belong to the chart. */
export interface WindowArguments {
  readonly first?: number | undefined;
  readonly after?: Cursor | undefined;
  readonly last?: number | undefined;
  readonly before?: Cursor | undefined;
}

/** What is wanted of a window; money follows it. */
export interface WindowNeed {
  /** The videos, and the cursors at the window's ends: every page of the window. */
  readonly rows: boolean;
  /** The chart's length and the data's age: any one page. */
  readonly facts: boolean;
}

/** A stretch of ranks, both ends included; empty when `last` is below `first`. */
export interface RankRange {
  readonly first: number;
  /** Infinity while the end depends on the chart's length and that is not known. */
  readonly last: number;
}

export interface WindowPlan {
  /** As far as it can be told from what is known. */
  readonly ranks: RankRange;
  /** Numbers of the pages, in a grid of `pageSize`, that must be loaded before the window can be cut. */
  readonly pages: readonly number[];
  /** True when any other page of the chart would do as well: nothing is known of it, and its facts are needed. */
  readonly anyPage: boolean;
  readonly pageSize: number;
  /** Ranks of the whole chart; undefined until a page is known. */
  readonly chartLength: number | undefined;
}

/** What a window holds when neither `first` nor `last` says otherwise. */
export const DEFAULT_WINDOW = 20;

/**
 * Plans a window by the algorithm of the Relay Cursor Connections Specification (section 4.4): apply `after`
 * and `before`, then `first`, then `last`. The plan rests on what is known so far and new pages may change it:
 * plan again with them until all pages of the plan are loaded.
 *
 * @param held Pages of the chart that cost nothing, in any order.
 * @param loaded Pages that were read for this window, in any order; they replace held ones.
 */
export function planWindow(
  args: WindowArguments,
  need: WindowNeed,
  held: readonly Page[],
  loaded: readonly Page[],
): WindowPlan {
  const known = [...held.filter((page) => !loaded.some(({ number }) => number === page.number)), ...loaded];
  known.sort(byAge);
  const length = chartLength(known);
  const pageSize = gridOf(known);
  const ranks = rankRange(args, length, known);
  const plan = { ranks, pageSize, chartLength: length };

  const needsLength = ranks.last === Number.POSITIVE_INFINITY;
  if (need.rows && !needsLength && ranks.first <= ranks.last) {
    return { ...plan, pages: pageNumbers(ranks, pageSize), anyPage: false };
  }
  if ((needsLength || need.facts) && loaded.length === 0) {
    const newest = known.at(-1)?.number;
    return { ...plan, pages: [newest ?? pageNumber(ranks.first, pageSize)], anyPage: newest === undefined };
  }
  return { ...plan, pages: [], anyPage: false };
}

function rankRange(args: WindowArguments, length: number | undefined, known: readonly Page[]): RankRange {
  // Ranks up to and with `start` stand before the window.
  let start = args.after ? locate(args.after, known) : 0;
  let last = Math.min(
    args.before ? locate(args.before, known) - 1 : Number.POSITIVE_INFINITY,
    length ?? Number.POSITIVE_INFINITY,
  );
  const first = args.first ?? (args.last === undefined ? DEFAULT_WINDOW : undefined);
  if (first !== undefined) last = Math.min(last, start + first);
  if (args.last === 0) last = start;
  else if (args.last !== undefined && Number.isFinite(last)) start = Math.max(start, last - args.last);
  return { first: start + 1, last };
}

/**
 * The rank at which the cursor's video stands now, as far as the known pages tell: the cursor's own rank when
 * it still stands there, else where the newest page has it, else the cursor's own rank. A known page that
 * still has it in place goes before a newer one that has it elsewhere, because a walk that jumped would skip
 * videos that it has never shown, or go round in circles.
 */
function locate({ rank, itemId }: Cursor, known: readonly Page[]): number {
  if (itemId === null) return rank;
  let found: number | undefined;
  for (const page of known) {
    const inPlace = rank - rankOffset(page) - 1;
    if (page.rows[inPlace]?.itemId === itemId) return rank;
    const index = page.rows.findIndex((row) => row?.itemId === itemId);
    if (index >= 0) found = rankOffset(page) + index + 1;
  }
  return found ?? rank;
}

/** Number of the page that a rank stands on. */
export function pageNumber(rank: number, pageSize: number): number {
  return Math.ceil(rank / pageSize);
}

function pageNumbers({ first, last }: RankRange, pageSize: number): number[] {
  const start = pageNumber(first, pageSize);
  return Array.from({ length: pageNumber(last, pageSize) - start + 1 }, (_, index) => start + index);
}
