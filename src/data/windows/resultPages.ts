import { pageId } from '../../domain/page.ts';
import type { OnDataEvent } from '../events.ts';
import type { PageCache } from '../pages/pageCache.ts';
import type { HeldPage, PageCopy } from '../pages/pageStore.ts';

/** What a page serves for. */
export type PageUse = 'window' | 'lookup';

interface ReadCopy extends PageCopy {
  readonly isOfWindow: boolean;
}

/** The pages that the answer to one operation was made of: they say how long it may be given again. */
export class ReadPages {
  readonly #cache: PageCache;
  readonly #onEvent: OnDataEvent;
  /** Names alone: pages that were held on to here would take room uncounted. */
  readonly #copies = new Map<string, ReadCopy>();
  #changes: number;
  #freshUntil = Number.POSITIVE_INFINITY;
  #staleUntil = Number.POSITIVE_INFINITY;
  /** What `changes` was at the first lookup. */
  #lookedUpAt: number | undefined;
  #hasUnknown = false;

  constructor(cache: PageCache, onEvent: OnDataEvent) {
    this.#cache = cache;
    this.#onEvent = onEvent;
    this.#changes = cache.changes;
  }

  /**
   * Until when, on the monotonic clock, all of them are fresh and none of their covers has expired: past when one
   * is stale already, Infinity when there are none.
   */
  get freshUntil(): number {
    return this.#freshUntil;
  }

  /** The same for how long all of them may be served stale. */
  get staleUntil(): number {
    return this.#staleUntil;
  }

  /** True while nothing has come since they were read: reading again would give the same. */
  get isLatest(): boolean {
    const { changes } = this.#cache;
    return this.#changes === changes && (this.#lookedUpAt ?? changes) === changes;
  }

  /** Whether what is made of them may be given again: not without any, nor where a video was not found, which may come. */
  get areLasting(): boolean {
    return Number.isFinite(this.#freshUntil) && !this.#hasUnknown;
  }

  /** True when videos were looked up: any page that comes may hold newer copies of them. */
  get hasLookups(): boolean {
    return this.#lookedUpAt !== undefined;
  }

  /** Takes note that a video was looked up that no page holds. */
  addUnknown(): void {
    this.#hasUnknown = true;
    this.#lookedUpAt ??= this.#cache.changes;
  }

  /** Takes note of a page that was read; false when it, or another copy of it, was read before. */
  add(page: HeldPage, use: PageUse): boolean {
    const { chart, number, pageSize, generation, freshUntil } = page;
    const life = this.#cache.life(page);
    const id = pageId(page);
    const before = this.#copies.get(id);
    const isOfWindow = use === 'window' || before?.isOfWindow === true;
    this.#copies.set(id, { chart, number, pageSize, generation, freshUntil, isOfWindow });
    if (use === 'lookup') this.#lookedUpAt ??= this.#cache.changes;
    this.#freshUntil = Math.min(this.#freshUntil, life.freshUntil);
    this.#staleUntil = Math.min(this.#staleUntil, life.staleUntil);
    this.#changes = this.#cache.changes;
    return before === undefined;
  }

  /**
   * Takes note that what was made of them serves once more: in memory they are the last to go, and stale ones of
   * windows are refreshed as if they had been read. A lookup buys nothing.
   */
  reuse(): void {
    const isFresh = this.#cache.isFresh(this);
    for (const copy of this.#copies.values()) {
      this.#cache.touch(copy);
      if (!isFresh && copy.isOfWindow) this.#cache.refreshCopy(copy);
      const origin = this.#cache.isFresh(copy) ? 'cached' : 'stale';
      this.#onEvent({ type: 'pageRead', origin, chart: copy.chart, page: copy.number });
    }
  }
}
