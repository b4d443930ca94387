import { pageId } from '../../domain/page.ts';
import type { OnDataEvent } from '../events.ts';
import type { PageCache } from '../pages/pageCache.ts';
import type { CachedPage, PageCopy } from '../pages/pageStore.ts';

/** What a page is used for. */
export type PageUse = 'window' | 'lookup';

interface UsedCopy extends PageCopy {
  /** False when only videos were looked up on it. */
  readonly servesWindow: boolean;
}

/** The pages that the result of one operation was made of. They decide how long the result may be cached. */
export class ResultPages {
  readonly #cache: PageCache;
  readonly #onEvent: OnDataEvent;
  /** Keys only: retaining pages here would bypass the memory bound. */
  readonly #copies = new Map<string, UsedCopy>();
  #changes: number;
  #freshUntil = Number.POSITIVE_INFINITY;
  #staleUntil = Number.POSITIVE_INFINITY;
  /** The cache's `changes` at the first lookup. */
  #lookedUpAt: number | undefined;
  #hasNotFound = false;

  constructor(cache: PageCache, onEvent: OnDataEvent) {
    this.#cache = cache;
    this.#onEvent = onEvent;
    this.#changes = cache.changes;
  }

  /**
   * Until when, on the monotonic clock, all pages are fresh and all their covers valid. In the past when a page is
   * stale; Infinity without pages.
   */
  get freshUntil(): number {
    return this.#freshUntil;
  }

  /** Until when all pages may be served stale, likewise. */
  get staleUntil(): number {
    return this.#staleUntil;
  }

  /** True while no page has arrived since these were read: executing the operation again would give the same result. */
  get isCurrent(): boolean {
    const { changes } = this.#cache;
    return this.#changes === changes && (this.#lookedUpAt ?? changes) === changes;
  }

  /** False without pages, and when a video was not found: it may be found a moment later. */
  get isCacheable(): boolean {
    return Number.isFinite(this.#freshUntil) && !this.#hasNotFound;
  }

  /** True when videos were looked up: any page that arrives may have newer copies of them. */
  get hasLookups(): boolean {
    return this.#lookedUpAt !== undefined;
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
    const before = this.#copies.get(id);
    const servesWindow = use === 'window' || before?.servesWindow === true;
    this.#copies.set(id, { chart, number, pageSize, generation, freshUntil, servesWindow });
    if (use === 'lookup') this.#lookedUpAt ??= this.#cache.changes;
    this.#freshUntil = Math.min(this.#freshUntil, expiry.freshUntil);
    this.#staleUntil = Math.min(this.#staleUntil, expiry.staleUntil);
    this.#changes = this.#cache.changes;
    return before === undefined;
  }

  /**
   * Records that the cached result was served again: its pages count as used, so that they are not evicted first, and
   * stale pages of windows are refreshed as if they had been read. Lookups never buy anything.
   */
  recordHit(): void {
    const isFresh = this.#cache.isFresh(this);
    for (const copy of this.#copies.values()) {
      this.#cache.touch(copy);
      if (!isFresh && copy.servesWindow) this.#cache.refreshCopy(copy);
      const origin = this.#cache.isFresh(copy) ? 'cached' : 'stale';
      this.#onEvent({ type: 'pageRead', origin, chart: copy.chart, page: copy.number });
    }
  }
}
