import { pageId } from '../../domain/page.ts';
import type { OnDataEvent } from '../events.ts';
import type { PageCache } from '../pages/pageCache.ts';
import type { CachedPage, PageCopy } from '../pages/pageStore.ts';

/** What a page is used for. */
export type PageUse = 'window' | 'lookup';

/** Identifies a page that a result was made of. Retaining the page would bypass the memory bound. */
interface UsedPage extends PageCopy {
  /** False when only videos were looked up on it. */
  readonly servesWindow: boolean;
}

/** How long a result may be cached, and the pages that it was made of. */
export interface Freshness {
  /**
   * Until when, on the monotonic clock, all pages are fresh and all their covers valid. In the past when a page is
   * stale.
   */
  readonly freshUntil: number;
  /** Until when all pages may be served stale, likewise. */
  readonly staleUntil: number;
  /** True when videos were looked up: any page that arrives may have newer copies of them. */
  readonly hasLookups: boolean;
  /**
   * `PageCache.changes`, as long as no page has arrived since these were read: executing the operation again would then
   * give the same result.
   */
  readonly changes: number;
  readonly pages: readonly UsedPage[];
}

/** The pages that the result of one operation was made of. They decide how long the result may be cached. */
export class ResultPages {
  readonly #cache: PageCache;
  readonly #pages = new Map<string, UsedPage>();
  #changes: number;
  #freshUntil = Number.POSITIVE_INFINITY;
  #staleUntil = Number.POSITIVE_INFINITY;
  /** The cache's `changes` at the first lookup. */
  #lookedUpAt: number | undefined;
  #hasNotFound = false;

  constructor(cache: PageCache) {
    this.#cache = cache;
    this.#changes = cache.changes;
  }

  /** Undefined without pages, and when a video was not found: it may be found a moment later. */
  freshness(): Freshness | undefined {
    if (this.#pages.size === 0 || this.#hasNotFound) return undefined;
    return {
      freshUntil: this.#freshUntil,
      staleUntil: this.#staleUntil,
      hasLookups: this.#lookedUpAt !== undefined,
      changes: Math.min(this.#changes, this.#lookedUpAt ?? this.#changes),
      pages: [...this.#pages.values()],
    };
  }

  /** Records that a video was looked up that no page has. */
  addNotFound(): void {
    this.#hasNotFound = true;
    this.#lookedUpAt ??= this.#cache.changes;
  }

  /** Records that a page was read; false when it, or another copy of it, was recorded before. */
  add(page: CachedPage, use: PageUse): boolean {
    const { chart, number, pageSize, generation, freshUntil } = page;
    const expiry = this.#cache.expiry(page);
    const id = pageId(page);
    const before = this.#pages.get(id);
    const servesWindow = use === 'window' || before?.servesWindow === true;
    this.#pages.set(id, { chart, number, pageSize, generation, freshUntil, servesWindow });
    if (use === 'lookup') this.#lookedUpAt ??= this.#cache.changes;
    this.#freshUntil = Math.min(this.#freshUntil, expiry.freshUntil);
    this.#staleUntil = Math.min(this.#staleUntil, expiry.staleUntil);
    this.#changes = this.#cache.changes;
    return before === undefined;
  }
}

/**
 * Creates the function that records that a cached result was served again: its pages count as used, so that they are
 * not evicted first, and stale pages of windows are refreshed as if they had been read. Lookups never buy anything.
 */
export function createRecordHit(cache: PageCache, onEvent: OnDataEvent): (freshness: Freshness) => void {
  return (freshness) => {
    const isFresh = cache.isFresh(freshness);
    for (const page of freshness.pages) {
      cache.touch(page);
      if (!isFresh && page.servesWindow) cache.refreshCopy(page);
      const origin = cache.isFresh(page) ? 'cached' : 'stale';
      onEvent({ type: 'pageRead', origin, chart: page.chart, page: page.number });
    }
  };
}
