import { LRUCache } from 'lru-cache';
import { type Chart, chartId } from '../domain/chart.ts';
import type { Clock } from '../domain/clock.ts';
import type { KnownPage, PageKey, PageSource } from '../domain/page.ts';
import type { UpstreamCost } from '../domain/upstreamCost.ts';

/** A page in the cache. */
export interface HeldPage extends KnownPage {
  /** End of its time to live, on the monotonic clock. */
  readonly freshUntil: number;
}

/** What a page cache needs. */
export interface PageCacheOptions {
  readonly source: PageSource;
  readonly clock: Clock;
  readonly ttlMs: number;
  /** Bound on the pages' size, as the length of their JSON at two bytes a character. */
  readonly maxBytes: number;
}

interface FetchContext {
  readonly key: PageKey;
  readonly cost: UpstreamCost;
}

/**
 * Pages of all charts, shared by all operations of the process for their time to live, least recently used
 * evicted first. Concurrent fetches of one page share one upstream call; whoever stops waiting does not end
 * it, and its answer always enters the cache, since it is paid for. Failures are never kept.
 */
export class PageCache {
  readonly #options: PageCacheOptions;
  readonly #pages: LRUCache<string, HeldPage, FetchContext>;
  /** Which page numbers of a chart may be held; evictions are noticed when it is read. */
  readonly #numbers = new Map<string, Set<number>>();
  #fetched = 0;

  constructor(options: PageCacheOptions) {
    this.#options = options;
    this.#pages = new LRUCache({
      maxSize: options.maxBytes,
      sizeCalculation: (page) => JSON.stringify(page).length * 2,
      onInsert: ({ chart, number }) => this.#noteHeld(chart, number),
      // An eviction aborts the fetch that holds the place; the answer is wanted all the same.
      ignoreFetchAbort: true,
      fetchMethod: async (id, _held, { context, signal }) => {
        const page = await this.#buy(context);
        if (signal.aborted) this.#pages.set(id, page);
        return page;
      },
    });
  }

  /** The chart's fresh pages, without touching their recency. */
  held(chart: Chart): HeldPage[] {
    const numbers = this.#numbers.get(chartId(chart));
    const pages: HeldPage[] = [];
    for (const number of numbers ?? []) {
      const page = this.#pages.peek(pageId(chart, number));
      if (page && this.#isFresh(page)) pages.push(page);
      else numbers?.delete(number);
    }
    return pages;
  }

  /**
   * The page, held or bought, counted in `cost`.
   *
   * @throws {ApiError} What the source threw; everyone who shared the call gets the same.
   */
  async fetch(key: PageKey, cost: UpstreamCost): Promise<HeldPage> {
    const id = pageId(key.chart, key.number);
    const held = this.#pages.peek(id);
    // A page cut in another grid holds other ranks: the chart's grid has changed since it was fetched.
    const forceRefresh = held !== undefined && !(this.#isFresh(held) && held.pageSize === key.pageSize);
    const status: LRUCache.Status<string, HeldPage, FetchContext> = {};
    const page = await this.#pages.forceFetch(id, { forceRefresh, status, context: { key, cost } });
    if (status.fetch === 'hit') cost.pages.cached++;
    else if (status.fetch === 'inflight') cost.pages.shared++;
    else cost.pages.fetched++;
    return page;
  }

  async #buy({ key, cost }: FetchContext): Promise<HeldPage> {
    const { source, clock, ttlMs } = this.#options;
    const page = await source(key, { onRequest: () => cost.requests++ });
    return { ...page, order: this.#fetched++, freshUntil: clock.monotonic() + ttlMs };
  }

  #noteHeld(chart: Chart, number: number): void {
    const id = chartId(chart);
    const numbers = this.#numbers.get(id) ?? new Set();
    this.#numbers.set(id, numbers.add(number));
  }

  #isFresh(page: HeldPage): boolean {
    return this.#options.clock.monotonic() < page.freshUntil;
  }
}

function pageId(chart: Chart, number: number): string {
  return `${chartId(chart)}:${number}`;
}
