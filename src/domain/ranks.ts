import { type Page, rankOffset } from './page.ts';
import { toUtcDay } from './utcDay.ts';

/** Which videos a page had, and at which ranks, when it was fetched. */
export interface PageRanks {
  /** Rank of the first row. */
  readonly firstRank: number;
  /** Item ids of the rows, top first, separated by commas: as text they take little memory. Empty for an unreadable row. */
  readonly itemIds: string;
  /** See `CachedPage`: the larger, the newer. */
  readonly sequence: number;
  /** Unix milliseconds, by the wall clock of whoever fetched the page. */
  readonly fetchedAt: number;
}

/** The state of a chart that a later one is compared with. */
export interface ChartSnapshot {
  /** When its rank 1 was fetched, in Unix milliseconds. */
  readonly takenAt: number;
  /** Ranks 1 to this are known, without a gap. */
  readonly knownRanks: number;
}

/** How a video has moved since a snapshot. */
export const RankMovement = { UP: 'UP', DOWN: 'DOWN', SAME: 'SAME', NEW: 'NEW' } as const;
/** How a video has moved since a snapshot, by name. */
export type RankMovement = (typeof RankMovement)[keyof typeof RankMovement];

/** The ranks of a page that was just fetched. */
export function toPageRanks(page: Page, sequence: number): PageRanks {
  const itemIds = page.rows.map((row) => row?.itemId ?? '').join(',');
  return { firstRank: rankOffset(page) + 1, itemIds, sequence, fetchedAt: page.fetchedAt };
}

/** Calls `visit` with each rank whose row could be read. */
function visitRanks({ firstRank, itemIds }: PageRanks, visit: (rank: number, itemId: string) => void): void {
  for (const [index, itemId] of itemIds.split(',').entries()) {
    if (itemId !== '') visit(firstRank + index, itemId);
  }
}

/** The ranks of a page whose rows could be read, such as `1-4,6-20`. */
export function toRankRanges(page: PageRanks): string {
  const ranges: { first: number; last: number }[] = [];
  visitRanks(page, (rank) => {
    const range = ranges.at(-1);
    if (range?.last === rank - 1) range.last = rank;
    else ranges.push({ first: rank, last: rank });
  });
  return ranges.map(({ first, last }) => `${first}-${last}`).join();
}

/** The last rank that a page has a row for, readable or not. */
export function lastRankOf({ firstRank, itemIds }: PageRanks): number {
  return firstRank + itemIds.split(',').length - 1;
}

let days = 0;

/**
 * The known state of a chart on one UTC day: for each rank, the last video that was seen there on that day. Immutable:
 * adding pages returns another object.
 */
export class ChartDay {
  /** Days since 1970-01-01. */
  readonly day: number;
  /** The newest first; each has a rank that no newer one has. */
  readonly pages: readonly PageRanks[];
  /** Identifies this object among all others. */
  readonly serial = ++days;
  /** Null when there is none; undefined until it is computed. */
  #snapshot: ChartSnapshot | null | undefined;

  /** @param pages Pages that were fetched on that day, in any order. */
  constructor(day: number, pages: readonly PageRanks[]) {
    this.day = day;
    this.pages = withoutOutdated([...pages].sort(newestFirst));
  }

  /** The day with further pages of it; the same object when they change nothing. */
  with(pages: readonly PageRanks[]): ChartDay {
    const added = pages.filter((page) => !this.pages.some((known) => newestFirst(known, page) === 0));
    if (added.length === 0) return this;
    const changed = new ChartDay(this.day, [...this.pages, ...added]);
    return changed.pages.some((page) => added.includes(page)) ? changed : this;
  }

  /** Its last state; undefined when rank 1 is not known. */
  get snapshot(): ChartSnapshot | undefined {
    if (this.#snapshot === undefined) this.#snapshot = this.#toSnapshot() ?? null;
    return this.#snapshot ?? undefined;
  }

  /**
   * The rank of each video: where it was seen last. A video that is on a page twice has the better rank. Not cached: it
   * takes several times as much memory as the pages.
   */
  toRanks(): ReadonlyMap<string, number> {
    const ranks = new Map<string, number>();
    this.#visit((rank, itemId) => {
      if (!ranks.has(itemId)) ranks.set(itemId, rank);
    });
    return ranks;
  }

  /** Calls `visit` with each known rank once, those of the newest page first. */
  #visit(visit: (rank: number, itemId: string, page: PageRanks) => void): void {
    const seen = new Set<number>();
    for (const page of this.pages) {
      visitRanks(page, (rank, itemId) => {
        if (seen.has(rank)) return;
        seen.add(rank);
        visit(rank, itemId, page);
      });
    }
  }

  #toSnapshot(): ChartSnapshot | undefined {
    const known = new Set<number>();
    let takenAt: number | undefined;
    this.#visit((rank, _itemId, { fetchedAt }) => {
      known.add(rank);
      if (rank === 1) takenAt = fetchedAt;
    });
    let knownRanks = 0;
    while (known.has(knownRanks + 1)) knownRanks++;
    return takenAt === undefined ? undefined : { takenAt, knownRanks };
  }
}

/** The UTC day that a page's ranks belong to. */
export function dayOf({ fetchedAt }: Pick<PageRanks, 'fetchedAt'>): number {
  return toUtcDay(fetchedAt);
}

/** How a video has moved that is at `rank`, and was at `previousRank` if that is known; null when it is unknown. */
export function toMovement(
  rank: number,
  previousRank: number | null,
  { knownRanks }: ChartSnapshot,
): RankMovement | null {
  if (previousRank === null) return rank <= knownRanks ? 'NEW' : null;
  if (rank === previousRank) return 'SAME';
  return rank < previousRank ? 'UP' : 'DOWN';
}

/** Leaves out the pages whose ranks all are on newer ones. */
function withoutOutdated(pages: readonly PageRanks[]): PageRanks[] {
  const seen = new Set<number>();
  return pages.filter((page) => {
    const before = seen.size;
    visitRanks(page, (rank) => void seen.add(rank));
    return seen.size > before;
  });
}

/** By time; the same order for all replicas. */
function newestFirst(a: PageRanks, b: PageRanks): number {
  return b.sequence - a.sequence || a.firstRank - b.firstRank || compareTexts(a.itemIds, b.itemIds);
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
