import { itemIdsOf, type Page } from '../../domain/page.ts';
import type { StatsStore } from './statsStore.ts';

/**
 * Represents the numbers on a page's videos: while the page has the same stamp, its numbers are all cached, fresh and
 * unchanged.
 */
export interface PageStamp {
  /** Until when the numbers of each video are fresh, on the monotonic clock. */
  readonly freshUntil: ReadonlyMap<string, number>;
}

/** What is known of a page. */
interface Entry {
  /** Undefined when numbers were missing or expired. */
  readonly stamp: PageStamp | undefined;
  /** `StatsStore.changes` when that was found. */
  readonly changes: number;
  /** When the first of the numbers expire. */
  readonly validUntil: number;
}

/**
 * Creates the stamps of pages, so that windows whose numbers are all cached need not check each video. Creating a stamp
 * counts as use of all of them: nothing is evicted until others are added, and the stamp is created anew.
 */
export class PageStamps {
  readonly #store: StatsStore;
  readonly #entries = new WeakMap<Page, Entry>();

  constructor(store: StatsStore) {
    this.#store = store;
  }

  /** The stamp of a page at `now`, on the monotonic clock; undefined unless all its numbers are cached and fresh. */
  of(page: Page, now: number): PageStamp | undefined {
    const known = this.#entries.get(page);
    if (known && known.changes === this.#store.changes && now < known.validUntil) return known.stamp;
    const entry = this.#create(page, now);
    this.#entries.set(page, entry);
    return entry.stamp;
  }

  #create(page: Page, now: number): Entry {
    const { changes } = this.#store;
    const itemIds = itemIdsOf(page);
    const isFresh = (itemId: string): boolean => now < (this.#store.peek(itemId)?.freshUntil ?? 0);
    // Until others arrive.
    if (!itemIds.every(isFresh)) return { stamp: undefined, changes, validUntil: Number.POSITIVE_INFINITY };
    const freshUntil = new Map(itemIds.map((itemId) => [itemId, this.#store.get(itemId)?.freshUntil ?? 0]));
    return { stamp: { freshUntil }, changes, validUntil: Math.min(...freshUntil.values()) };
  }
}
