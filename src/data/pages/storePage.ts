import type { Clock } from '../../domain/clock.ts';
import { memoise } from '../../domain/memoise.ts';
import { type CachedPage, EMPTY_PAGE_MS, lacksRows, type Page } from '../../domain/page.ts';
import { createEmptyPageError } from './emptyPage.ts';
import type { PageStore } from './pageStore.ts';

/** What storing a page needs. */
export interface StorePageOptions {
  readonly store: PageStore;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly ttlMs: number;
}

/** Receives each page that was fetched, with its sequence number, whether or not it can be stored. */
export type OnFetched = (page: Page, sequence: number) => void;

/** The greatest share by which a time to live is shortened, so that charts fetched together do not expire together. */
const MAX_JITTER = 0.1;

/**
 * Stores a page that was just fetched. Pages that arrive while their chart's generation is fresh join it and expire
 * with it; the first one after that begins the next generation. A page that lacks its rows expires earlier.
 *
 * @param minSequence The page's sequence number is at least this.
 * @throws {ApiError} See `createEmptyPageError`.
 */
export function storePage(page: Page, options: StorePageOptions, minSequence?: number): CachedPage {
  const { store, clock } = options;
  // Rows may have arrived since the page was checked.
  if (store.contradicts(page)) throw createEmptyPageError();
  const sequence = store.nextSequence(minSequence);
  const newest = store.copies(page.chart).find((copy) => !lacksRows(copy));
  const current = newest && store.isFresh(newest) ? newest : undefined;
  const generation = current?.generation ?? sequence;
  const cached = {
    ...page,
    sequence,
    generation,
    freshUntil: toFreshUntil(page, current, options),
    coversUntil:
      store.newest(page, page.pageSize)?.generation === generation
        ? null
        : toCoversUntil(page, clock.monotonic()),
  };
  store.add(cached);
  return cached;
}

/** When a page expires that joins the generation of `current`, or begins one. */
function toFreshUntil(page: Page, current: CachedPage | undefined, options: StorePageOptions): number {
  if (current && !lacksRows(page)) return current.freshUntil;
  const freshUntil = options.clock.monotonic() + toTtlMs(page, options);
  return Math.min(freshUntil, current?.freshUntil ?? freshUntil);
}

/** The time to live of a page that begins a generation now, in milliseconds. */
export function toTtlMs(page: Page, { ttlMs, random }: Pick<StorePageOptions, 'ttlMs' | 'random'>): number {
  return lacksRows(page) ? longestTtlMs(page, ttlMs) : ttlMs * (1 - MAX_JITTER * random());
}

/** The longest time to live of a page, where `ttlMs` is the longest of all. */
export function longestTtlMs(page: Page, ttlMs: number): number {
  return lacksRows(page) ? Math.min(EMPTY_PAGE_MS * 2 ** ((page.timesEmpty ?? 1) - 1), ttlMs) : ttlMs;
}

/**
 * When the first cover of a page that was fetched at `fetchedAt` expires, both on the monotonic clock; null when none
 * does. Expired covers are worth one refresh in each generation: upstream may send links that expire as soon again.
 */
export function toCoversUntil(page: Page, fetchedAt: number): number | null {
  const expiry = firstCoverExpiry(page);
  return Number.isFinite(expiry) ? fetchedAt + expiry - page.fetchedAt : null;
}

/** When the first cover of a page expires, in Unix milliseconds; Infinity when none does. */
export const firstCoverExpiry = memoise(({ rows }: Page): number => {
  let first = Number.POSITIVE_INFINITY;
  for (const row of rows) {
    if (row?.cover && row.coverExpiresAt !== null) first = Math.min(first, row.coverExpiresAt);
  }
  return first;
});
