import type { Clock } from '../../domain/clock.ts';
import type { Page } from '../../domain/page.ts';
import type { HeldPage, PageStore } from './pageStore.ts';

/** What decides over a page's life. */
export interface AdmissionOptions {
  readonly store: PageStore;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly ttlMs: number;
}

/** By how much a life is shortened at most, so that charts that were fetched together do not expire together. */
const MAX_JITTER = 0.1;

/**
 * Takes in a page that has just come, alone. All pages that come while a chart's generation is fresh belong to it and
 * expire with it; the first one after that begins the next.
 *
 * @param earliest Its `order` is not before this.
 */
export function admitPage(page: Page, options: AdmissionOptions, earliest?: number): HeldPage {
  const { store, clock } = options;
  const order = store.nextOrder(earliest);
  const [current] = store.copies(page.chart);
  const isCurrent = current !== undefined && clock.monotonic() < current.freshUntil;
  const generation = isCurrent ? current.generation : order;
  const held = {
    ...page,
    order,
    generation,
    freshUntil: isCurrent ? current.freshUntil : clock.monotonic() + toLife(options),
    coversUntil:
      store.newest(page)?.generation === generation ? null : toCoversUntil(page, clock.monotonic()),
  };
  store.add(held);
  return held;
}

/** For how many milliseconds a generation that begins now is fresh. */
export function toLife({ ttlMs, random }: Pick<AdmissionOptions, 'ttlMs' | 'random'>): number {
  return ttlMs * (1 - MAX_JITTER * random());
}

/**
 * When the first cover of a page that was taken in at `admittedAt` expires, on the monotonic clock; null when none
 * does. Covers are worth one refresh in each generation: upstream may well send links that expire soon again.
 */
export function toCoversUntil(page: Page, admittedAt: number): number | null {
  const expiry = firstCoverExpiry(page);
  return Number.isFinite(expiry) ? admittedAt + expiry - page.fetchedAt : null;
}

/** When the first cover of a page expires, in Unix milliseconds; Infinity when none does. */
export function firstCoverExpiry({ rows }: Page): number {
  let first = Number.POSITIVE_INFINITY;
  for (const row of rows) {
    if (row?.cover && row.coverExpiresAt !== null) first = Math.min(first, row.coverExpiresAt);
  }
  return first;
}
