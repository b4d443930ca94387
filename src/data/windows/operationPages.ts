import DataLoader from 'dataloader';
import { type Chart, chartId } from '../../domain/chart.ts';
import { memoise } from '../../domain/memoise.ts';
import type { Operation } from '../../domain/operation.ts';
import { type CachedPage, type PageKey, pageId } from '../../domain/page.ts';
import type { PageCache, PageWithOrigin } from '../pages/pageCache.ts';
import type { Freshness, UsedCopy } from './freshness.ts';

/** What a page is used for. */
type PageUse = 'window' | 'lookup';

/** `PageCache.fetch`, possibly decorated. */
export type ReadPage = PageCache['fetch'];

/** See `OperationPages`. */
export interface OperationPagesOptions {
  readonly cache: PageCache;
  /** Receives the cost of what is read. */
  readonly operation: Operation;
  /** Reads a page that may have to be waited for; from `cache` by default. */
  readonly readPage?: ReadPage | undefined;
}

/** A page that is needed in this page size. */
interface WantedPage extends PageKey {
  readonly pageSize: number;
}

/** Ids of cached pages, which are used far more often than they change. */
const idOf = memoise((page: CachedPage) => pageId(page));

/**
 * The pages that one operation reads: the one record of what it has used, which decides its cost and how long its result
 * may be cached. Not shared between operations.
 */
export class OperationPages {
  readonly #cache: PageCache;
  readonly #options: OperationPagesOptions;
  /** Created on demand: most operations find all their pages in the cache. */
  #loader: DataLoader<WantedPage, CachedPage, string> | undefined;
  /** By chart id, the number of the first page that was loaded. */
  readonly #firstLoaded = new Map<string, number>();
  readonly #used = new Map<string, UsedCopy>();
  #changes: number;
  /** The cache's `changes` at the first lookup. */
  #lookedUpAt: number | undefined;
  #hasNotFound = false;
  #freshUntil = Number.POSITIVE_INFINITY;
  #staleUntil = Number.POSITIVE_INFINITY;

  constructor(options: OperationPagesOptions) {
    this.#options = options;
    this.#cache = options.cache;
    this.#changes = options.cache.changes;
  }

  /** Uses a cached page. */
  use(page: CachedPage, use: PageUse): void {
    this.#record(this.#cache.use(page), use);
  }

  /**
   * Loads a page. All pages that are needed in one tick are requested together, and the operation gets the same page,
   * or the same error, each time. May have another page size, if upstream applied one.
   */
  async load(wanted: WantedPage): Promise<CachedPage> {
    const id = chartId(wanted.chart);
    if (!this.#firstLoaded.has(id)) this.#firstLoaded.set(id, wanted.number);
    this.#loader ??= this.#createLoader();
    const page = await this.#loader.load(wanted);
    // If it is needed in this size again, it must be read again.
    if (page.pageSize !== wanted.pageSize) this.#loader.clear(wanted);
    return page;
  }

  /** Loads a page of the chart that another alias loads anyway, else this one. */
  async loadAny(wanted: WantedPage): Promise<CachedPage> {
    // All aliases of an operation start in the same tick: by the next one they have requested their pages.
    await Promise.resolve();
    return this.load({ ...wanted, number: this.#firstLoaded.get(chartId(wanted.chart)) ?? wanted.number });
  }

  /** Forgets which pages of the chart are loaded by other aliases, because upstream has refused one of them. */
  forgetLoaded(chart: Chart): void {
    this.#firstLoaded.delete(chartId(chart));
  }

  /** Records that a video was looked up that no page has. */
  recordNotFound(): void {
    this.#hasNotFound = true;
    this.#lookedUpAt ??= this.#cache.changes;
  }

  /** Limits how long the result may be cached, because of a page that it depends on without using it. */
  limitFreshness(until: number): void {
    this.#freshUntil = Math.min(this.#freshUntil, until);
    this.#staleUntil = Math.min(this.#staleUntil, until);
  }

  /** Undefined without pages, and when a video was not found: it may be found a moment later. */
  freshness(): Freshness | undefined {
    if (this.#used.size === 0 || this.#hasNotFound) return undefined;
    return {
      freshUntil: this.#freshUntil,
      staleUntil: this.#staleUntil,
      hasLookups: this.#lookedUpAt !== undefined,
      changes: Math.min(this.#changes, this.#lookedUpAt ?? this.#changes),
      copies: [...this.#used.values()],
    };
  }

  /** Counts the page in the cost unless it, or another copy of it, was used before. */
  #record({ page, origin }: PageWithOrigin, use: PageUse): CachedPage {
    const { chart, number, generation, freshUntil } = page;
    const id = idOf(page);
    const before = this.#used.get(id);
    const servesWindow = use === 'window' || before?.servesWindow === true;
    this.#used.set(id, { chart, number, generation, freshUntil, servesWindow });
    const expiry = this.#cache.expiry(page);
    this.#freshUntil = Math.min(this.#freshUntil, expiry.freshUntil);
    this.#staleUntil = Math.min(this.#staleUntil, expiry.staleUntil);
    this.#changes = this.#cache.changes;
    if (use === 'lookup') this.#lookedUpAt ??= this.#changes;
    if (!before) this.#options.operation.cost.pages[origin]++;
    return page;
  }

  #createLoader(): DataLoader<WantedPage, CachedPage, string> {
    const { operation, readPage = (...args) => this.#cache.fetch(...args) } = this.#options;
    const read = (wanted: WantedPage): Promise<CachedPage | Error> =>
      readPage(wanted, wanted.pageSize, operation).then(
        (found) => this.#record(found, 'window'),
        // The cache rejects with nothing but Errors.
        (error: Error) => error,
      );
    return new DataLoader((keys) => Promise.all(keys.map(read)), {
      cacheKeyFn: (wanted) => `${pageId(wanted)}:${wanted.pageSize}`,
    });
  }
}
