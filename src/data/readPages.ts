import { pageId } from '../domain/page.ts';
import type { OnDataEvent } from './events.ts';
import type { PageCache } from './pageCache.ts';
import type { HeldPage, PageCopy } from './pageStore.ts';

/** The pages that the windows of one operation were cut from: they say how long its answer may be given again. */
export class ReadPages {
  readonly #cache: PageCache;
  readonly #onEvent: OnDataEvent;
  /** Names alone: pages that were held on to here would take room uncounted. */
  readonly #copies = new Map<string, PageCopy>();
  #changes: number;
  #freshUntil = Number.POSITIVE_INFINITY;
  #staleUntil = Number.POSITIVE_INFINITY;

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
    return this.#changes === this.#cache.changes;
  }

  /** Takes note of a page that was read; false when it, or another copy of it, was read before. */
  add(page: HeldPage): boolean {
    const { chart, number, pageSize, generation, freshUntil } = page;
    const life = this.#cache.life(page);
    const id = pageId(page);
    const isFirst = !this.#copies.has(id);
    this.#copies.set(id, { chart, number, pageSize, generation, freshUntil });
    this.#freshUntil = Math.min(this.#freshUntil, life.freshUntil);
    this.#staleUntil = Math.min(this.#staleUntil, life.staleUntil);
    this.#changes = this.#cache.changes;
    return isFirst;
  }

  /**
   * Takes note that what was made of them serves once more: in memory they are the last to go, and stale ones are
   * refreshed as if they had been read.
   */
  reuse(): void {
    const isFresh = this.#cache.isFresh(this);
    for (const copy of this.#copies.values()) {
      this.#cache.touch(copy);
      if (!isFresh) this.#cache.refresh(copy);
      const origin = this.#cache.isFresh(copy) ? 'cached' : 'stale';
      this.#onEvent({ type: 'pageRead', origin, chart: copy.chart, page: copy.number });
    }
  }
}
