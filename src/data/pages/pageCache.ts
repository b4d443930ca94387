import pTimeout from 'p-timeout';
import type { Chart } from '../../domain/chart.ts';
import type { Clock } from '../../domain/clock.ts';
import { ApiError } from '../../domain/errors.ts';
import { charge, type Operation, reserve } from '../../domain/operation.ts';
import {
  type CachedPage,
  lacksRows,
  type PageCopy,
  type PageKey,
  pageEndpoint,
  pageId,
} from '../../domain/page.ts';
import type { Call, Source } from '../../domain/source.ts';
import type { Origin } from '../../domain/upstreamCost.ts';
import type { FoundVideo, PageStore } from './pageStore.ts';
import { firstCoverExpiry } from './storePage.ts';
import { newestCopies, toViews, type Views } from './views.ts';

/** What a page cache needs. */
interface PageCacheOptions {
  readonly fetchPage: FetchPage;
  /** Finds pages of other replicas; undefined without Redis. */
  readonly sharedLookup?: SharedLookup | undefined;
  /** Whether calls to upstream are stopped, and would fail at once. */
  readonly isStopped: () => boolean;
  readonly store: PageStore;
  readonly clock: Clock;
  readonly ttlMs: number;
  /** How long a refresh may take, waiting for its turn and retries included. */
  readonly refreshTimeoutMs: number;
}

/** A page, and how an operation got it. */
export interface PageWithOrigin {
  readonly page: CachedPage;
  readonly origin: Origin;
}

/** Gets a page that is not cached, and stores it. */
export type FetchPage = Source<PageKey, PageWithOrigin>;

/** Imports pages that other replicas have cached into the store. */
export interface SharedLookup {
  /** True when the chart has not been looked up yet. */
  needsLookup(chart: Chart): boolean;
  /** Imports a chart's pages; resolves with whether any were imported. */
  lookUpChart(chart: Chart): Promise<boolean>;
  /** Imports the pages on which other replicas have newer copies of these videos. */
  lookUpVideos(itemIds: readonly string[]): Promise<void>;
}

/** A fetch in flight. */
interface PendingFetch {
  readonly page: Promise<PageWithOrigin>;
  /** The latest deadline of all operations that wait for it. */
  deadlineAt: number;
}

/**
 * Caches pages of all charts, for all operations of the process.
 *
 * - A fresh page is served from memory.
 * - A stale page is served as long as the store has it, while one refresh runs in the background. An operation that has
 *   to wait for another page anyway waits for the refresh too, and uses the stale copy when the refresh fails.
 * - Concurrent fetches of a page are coalesced into one upstream call. It continues when nobody waits for it any more,
 *   and its page is always stored, since it is paid for.
 * - A page that upstream refuses (400) is deleted, and never served stale. Failures are not cached here.
 */
export class PageCache {
  readonly #options: PageCacheOptions;
  readonly #pending = new Map<string, PendingFetch>();

  constructor(options: PageCacheOptions) {
    this.#options = options;
  }

  /**
   * The views of a chart's cached pages. An older generation is recent until one time to live after its expiry. Does
   * not count as use.
   */
  views(chart: Chart): Views {
    const { store, clock, ttlMs } = this.#options;
    return toViews(store.copies(chart), ({ freshUntil }) => clock.monotonic() < freshUntil + ttlMs);
  }

  /** The newest copy of each cached page, fresh and expired ones separately. Does not count as use. */
  known(chart: Chart): { readonly fresh: CachedPage[]; readonly expired: CachedPage[] } {
    const newest = newestCopies(this.#options.store.copies(chart));
    return {
      fresh: newest.filter((page) => this.isFresh(page)),
      expired: newest.filter((page) => !this.isFresh(page)),
    };
  }

  /** True until the end of a page's time to live. */
  isFresh(page: Pick<CachedPage, 'freshUntil'>): boolean {
    return this.#options.store.isFresh(page);
  }

  /** True when other replicas may have pages of the chart that have not been looked up yet. */
  needsSharedLookup(chart: Chart): boolean {
    return this.#options.sharedLookup?.needsLookup(chart) ?? false;
  }

  /** Imports the chart's pages from other replicas; resolves with whether any were imported. */
  async lookUpShared(chart: Chart): Promise<boolean> {
    return (await this.#options.sharedLookup?.lookUpChart(chart)) ?? false;
  }

  /** The newest copy of each of these videos on the pages of all charts; undefined where no page has it. */
  async findVideos(itemIds: readonly string[]): Promise<(FoundVideo | undefined)[]> {
    const { sharedLookup, store } = this.#options;
    await sharedLookup?.lookUpVideos(itemIds);
    return itemIds.map((itemId) => store.find(itemId));
  }

  /** Until when an empty page ends the chart, on the monotonic clock; Infinity when none does. */
  emptyUntil(chart: Chart): number {
    return this.#options.store.emptyUntil(chart);
  }

  /** How often the cached pages have changed. */
  get changes(): number {
    return this.#options.store.changes;
  }

  /** Until when, on the monotonic clock, a page is fresh, and may be served stale, with all its covers still valid. */
  expiry(page: CachedPage): { readonly freshUntil: number; readonly staleUntil: number } {
    const { clock, store } = this.#options;
    const coversUntil = clock.monotonic() + firstCoverExpiry(page) - clock.now();
    // This server may serve an empty page stale while it is refreshed; shared caches may not.
    const staleUntil = lacksRows(page) ? page.freshUntil : store.staleUntil(page);
    return {
      freshUntil: Math.min(page.freshUntil, coversUntil),
      staleUntil: Math.min(staleUntil, coversUntil),
    };
  }

  /** Records a use of a copy, whether or not it is still cached; gives the page if it is. */
  touch(copy: PageCopy): CachedPage | undefined {
    return this.#options.store.touch(copy);
  }

  /** Serves a cached page. */
  use(page: CachedPage): PageWithOrigin {
    this.#options.store.touch(page);
    return { page, origin: this.isFresh(page) ? 'cached' : 'stale' };
  }

  /**
   * Refreshes a page in the background if it is missing, due, or has not the `pageSize` that is needed, unless it is
   * already in flight. While calls are stopped, none is made for a page that can be served stale: during an outage, that would
   * take longer than serving it.
   *
   * @param used Pages whose use is recorded already.
   */
  refresh(key: PageKey, pageSize?: number, used: readonly CachedPage[] = []): void {
    const { store, isStopped } = this.#options;
    const newest = store.newest(key, pageSize);
    // The page is in demand, even if an older copy of it is served: the newest must not be evicted first.
    if (newest && !used.includes(newest)) store.touch(newest);
    if (newest && (!this.#isDue(newest) || isStopped())) return;
    // Costs credits, for later operations: the page is in demand, and expired or without valid covers.
    if (!this.#pending.has(pageId(key))) this.#start(key);
  }

  /**
   * A fresh copy of the page, cached with this page size or fetched for `operation`; the stale copy when no fresh one is
   * available in time.
   *
   * @throws {ApiError} The source's error when nothing is cached, the same for all operations that waited for the call;
   * `OPERATION_TOO_EXPENSIVE` when the operation may not fetch any more pages.
   */
  async fetch(key: PageKey, pageSize: number, operation: Operation): Promise<PageWithOrigin> {
    const { store } = this.#options;
    const cached = store.newest(key, pageSize);
    if (cached && this.isFresh(cached)) {
      this.refresh(key, pageSize);
      return this.use(cached);
    }
    try {
      return await this.#wait(key, operation);
    } catch (error) {
      // Not `cached`: a page that upstream refused has been deleted.
      const stale = store.newest(key, pageSize);
      if (!stale) throw error;
      return this.use(stale);
    }
  }

  /**
   * Fetches a page in the background, even if a fresh copy of it is cached, or waits for it if it is in flight. With
   * Redis it may be a copy that is newer than the cached one, and was fetched by another replica.
   *
   * @throws {ApiError} The source's error.
   */
  async fetchAnew(key: PageKey): Promise<PageWithOrigin> {
    const { clock, refreshTimeoutMs } = this.#options;
    const other = this.#pending.get(pageId(key));
    if (!other) {
      // Costs credits, although the page may be fresh: the caller needs its current rows.
      return this.#start(key).page;
    }
    other.deadlineAt = Math.max(other.deadlineAt, clock.monotonic() + refreshTimeoutMs);
    const { page } = await other.page;
    return { page, origin: 'shared' };
  }

  /** Waits until no fetch is in flight: all pages that were paid for are then cached. */
  async settle(): Promise<void> {
    await Promise.allSettled([...this.#pending.values()].map(({ page }) => page));
  }

  /** Waits for a page that is in flight, or fetches it for `operation`. */
  async #wait(key: PageKey, operation: Operation): Promise<PageWithOrigin> {
    const other = this.#pending.get(pageId(key));
    if (other) other.deadlineAt = Math.max(other.deadlineAt, operation.deadlineAt);
    else reserve(operation, pageEndpoint.credits);
    // Costs credits: the operation needs this page, and it is neither cached nor in flight.
    const pending = other ?? this.#start(key, operation);
    const { clock } = this.#options;
    const { page, origin } = await pTimeout(pending.page, {
      milliseconds: Math.max(1, operation.deadlineAt - clock.monotonic()),
      fallback: rejectTimeout,
      customTimers: clock.timers,
    });
    if (other) return { page, origin: 'shared' };
    // It came from another replica, and cost nothing.
    if (origin !== 'fetched') operation.creditsLeft += pageEndpoint.credits;
    return { page, origin };
  }

  /** Starts to fetch a page: for an operation or, without one, as a refresh that belongs to no operation. */
  #start(key: PageKey, operation?: Operation): PendingFetch {
    const { fetchPage, store, clock, refreshTimeoutMs } = this.#options;
    const id = pageId(key);
    const call: Call = {
      deadline: () => pending.deadlineAt,
      background: operation === undefined,
      onSent: () => {
        if (operation) charge(operation, pageEndpoint.credits, clock.monotonic());
      },
    };
    const run = async (): Promise<PageWithOrigin> => {
      try {
        return await fetchPage(key, call);
      } catch (error) {
        if (error instanceof ApiError && error.code === 'BAD_USER_INPUT') store.delete(key);
        throw error;
      } finally {
        this.#pending.delete(id);
      }
    };
    const deadlineAt = operation?.deadlineAt ?? clock.monotonic() + refreshTimeoutMs;
    // Starts in the next microtask, because `fetchPage` may read the deadline from `pending` at once.
    const pending: PendingFetch = { page: Promise.resolve().then(run), deadlineAt };
    this.#pending.set(id, pending);
    // Waiting operations handle a failure; without any, it must not count as an unhandled rejection.
    pending.page.catch(() => undefined);
    return pending;
  }

  #isDue(page: CachedPage): boolean {
    const areCoversExpired = page.coversUntil !== null && this.#options.clock.monotonic() >= page.coversUntil;
    return !this.isFresh(page) || areCoversExpired;
  }
}

function rejectTimeout(): never {
  throw new ApiError('UPSTREAM_TIMEOUT');
}
