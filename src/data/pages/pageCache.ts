import pTimeout from 'p-timeout';
import type { Chart } from '../../domain/chart.ts';
import type { Clock } from '../../domain/clock.ts';
import { ApiError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { type FetchOptions, type PageKey, pageId } from '../../domain/page.ts';
import { firstCoverExpiry } from './storePage.ts';
import type { OnDataEvent, PageOrigin } from '../events.ts';
import type { FoundVideo, HeldPage, PageCopy, PageStore } from './pageStore.ts';
import { newestCopies, toViews, type Views } from './views.ts';

/** What a page cache needs. */
export interface PageCacheOptions {
  readonly fetchPage: FetchPage;
  /** Where the other replicas' pages are looked up. */
  readonly shared?: SharedLookup | undefined;
  readonly store: PageStore;
  readonly clock: Clock;
  readonly ttlMs: number;
  /** How long a refresh may wait for its turn and be retried. */
  readonly refreshTimeoutMs: number;
  readonly onEvent: OnDataEvent;
}

/** A page, and how an operation came by it. */
export interface ReadPage {
  readonly page: HeldPage;
  readonly origin: PageOrigin;
}

/** Gets a page that is not held, and takes it into the store. */
export type FetchPage = (key: PageKey, options: FetchOptions) => Promise<ReadPage>;

/** Where that is looked up which other replicas may hold. */
export interface SharedLookup {
  /** True when nobody has looked the chart up yet. */
  isUnseen(chart: Chart): boolean;
  /** Brings what others hold into the store; resolves with whether anything came. */
  look(chart: Chart): Promise<boolean>;
  /** Brings the pages into the store on which others hold newer copies of these videos. */
  lookForVideos(itemIds: readonly string[]): Promise<void>;
}

/** A fetch under way. */
interface Flight {
  readonly page: Promise<ReadPage>;
  /** The latest moment at which somebody still waits for it. */
  deadlineAt: number;
}

/**
 * Pages of all charts, shared by all operations of the process.
 *
 * - Fresh: it is served, and nothing is asked.
 * - Stale, for as long as the store holds it: it is served at once, and one refresh runs meanwhile. Who has to wait
 *   for another page anyway waits for the refresh too, and falls back on the stale copy when it fails.
 * - Concurrent fetches of one page share one upstream call. Whoever stops waiting does not end it, and its answer
 *   always enters the store, since it is paid for.
 * - A page that upstream refuses (400) is dropped and never served stale. Failures are not kept here.
 */
export class PageCache {
  readonly #options: PageCacheOptions;
  readonly #flights = new Map<string, Flight>();

  constructor(options: PageCacheOptions) {
    this.#options = options;
  }

  /**
   * What is held of a chart, as windows may be cut from it; an older generation is recent while it has expired less
   * than a time to live ago. Does not count as use.
   */
  views(chart: Chart): Views {
    const { store, clock, ttlMs } = this.#options;
    return toViews(store.copies(chart), ({ freshUntil }) => clock.monotonic() < freshUntil + ttlMs);
  }

  /** The newest copy of each page held. Does not count as use. */
  newest(chart: Chart): HeldPage[] {
    return newestCopies(this.#options.store.copies(chart));
  }

  /** The same, apart by whether a page's time to live goes on. */
  known(chart: Chart): { readonly fresh: HeldPage[]; readonly expired: HeldPage[] } {
    const newest = this.newest(chart);
    return {
      fresh: newest.filter((page) => this.isFresh(page)),
      expired: newest.filter((page) => !this.isFresh(page)),
    };
  }

  /** True while a page's time to live goes on. */
  isFresh({ freshUntil }: Pick<HeldPage, 'freshUntil'>): boolean {
    return this.#options.clock.monotonic() < freshUntil;
  }

  /** True when the other replicas may hold pages of the chart that nobody has looked up yet. */
  isUnseen(chart: Chart): boolean {
    return this.#options.shared?.isUnseen(chart) ?? false;
  }

  /** Looks up the chart's pages that other replicas hold; resolves with whether any came. */
  async look(chart: Chart): Promise<boolean> {
    return (await this.#options.shared?.look(chart)) ?? false;
  }

  /** The newest copy of each of these videos on the pages of all charts; undefined where none has it. */
  async findVideos(itemIds: readonly string[]): Promise<(FoundVideo | undefined)[]> {
    const { shared, store } = this.#options;
    await shared?.lookForVideos(itemIds);
    return itemIds.map((itemId) => store.find(itemId));
  }

  /** How often what is held has changed. */
  get changes(): number {
    return this.#options.store.changes;
  }

  /** Until when, on the monotonic clock, a page is fresh, and may be served stale, with all its covers. */
  life(page: HeldPage): { readonly freshUntil: number; readonly staleUntil: number } {
    const { clock, store } = this.#options;
    const coversUntil = clock.monotonic() + firstCoverExpiry(page) - clock.now();
    return {
      freshUntil: Math.min(page.freshUntil, coversUntil),
      staleUntil: Math.min(store.staleUntil(page), coversUntil),
    };
  }

  /** Notes that a copy serves, whether or not it is still held. */
  touch(copy: PageCopy): void {
    this.#options.store.touch(copy);
  }

  /** Serves a page that is held. */
  use(page: HeldPage): ReadPage {
    this.#options.store.touch(page);
    return { page, origin: this.isFresh(page) ? 'cached' : 'stale' };
  }

  /** Fetches a page in the background, unless a copy is held that is not due, or it is on its way. */
  refresh(key: PageKey): void {
    const { store } = this.#options;
    const newest = store.newest(key);
    // In demand, though it may be another copy that serves: the newest must not be the first to be evicted.
    if (newest) store.touch(newest);
    if (newest && !this.#isDue(newest)) return;
    // Spends, for whoever asks next: the page is in demand and past its life, or its covers are.
    if (!this.#flights.has(pageId(key))) this.#start(key);
  }

  /** The same for the page of a copy that serves, in the grid that it is cut in by now. */
  refreshCopy(copy: PageCopy): void {
    const { pageSize } = this.#options.store.newestInAnyGrid(copy) ?? copy;
    this.refresh({ ...copy, pageSize });
  }

  /**
   * A fresh copy of the page, held or fetched for `operation`; the stale one when it cannot be had in time.
   *
   * @throws {ApiError} What the source threw when nothing is held, the same for everyone who shared the call;
   * `OPERATION_TOO_EXPENSIVE` when the operation has no pages left.
   */
  async fetch(key: PageKey, operation: Operation): Promise<ReadPage> {
    const { store } = this.#options;
    const held = store.newest(key);
    if (held && this.isFresh(held)) {
      this.refresh(key);
      return this.use(held);
    }
    try {
      return await this.#wait(key, operation);
    } catch (error) {
      // Looked up again: a page that upstream refused is held no more.
      const stale = store.newest(key);
      if (!stale) throw error;
      return this.use(stale);
    }
  }

  /** Waits until nothing is being fetched any more: what was paid for is then held. */
  async settle(): Promise<void> {
    await Promise.allSettled([...this.#flights.values()].map(({ page }) => page));
  }

  /** Waits for a page that is on its way, or that is fetched for `operation`. */
  async #wait(key: PageKey, operation: Operation): Promise<ReadPage> {
    const shared = this.#flights.get(pageId(key));
    if (shared) shared.deadlineAt = Math.max(shared.deadlineAt, operation.deadlineAt);
    else if (operation.pagesLeft-- <= 0) throw tooExpensive();
    // Spends: the operation needs this page, and nobody holds it or is fetching it.
    const flight = shared ?? this.#start(key, operation);
    const { clock } = this.#options;
    const { page, origin } = await pTimeout(flight.page, {
      milliseconds: Math.max(1, operation.deadlineAt - clock.monotonic()),
      fallback: rejectTimeout,
      customTimers: clock.timers,
    });
    if (shared) return { page, origin: 'shared' };
    // Another replica had it.
    if (origin !== 'fetched') operation.pagesLeft++;
    return { page, origin };
  }

  /** Begins to fetch a page, for an operation or, without one, as a refresh that nobody pays for. */
  #start(key: PageKey, operation?: Operation): Flight {
    const { fetchPage, store, clock, refreshTimeoutMs, onEvent } = this.#options;
    const id = pageId(key);
    const fetchOptions = {
      check: () => undefined,
      onRequest: () => {
        // One whose time is up has been answered: what others still wait for is none of its cost.
        if (operation && clock.monotonic() < operation.deadlineAt) operation.cost.requests++;
        else onEvent({ type: 'pageRefresh', chart: key.chart, page: key.number });
      },
      deadline: () => flight.deadlineAt,
      background: operation === undefined,
    };
    const fly = async (): Promise<ReadPage> => {
      try {
        return await fetchPage(key, fetchOptions);
      } catch (error) {
        if (error instanceof ApiError && error.code === 'BAD_USER_INPUT') store.forget(key);
        throw error;
      } finally {
        this.#flights.delete(id);
      }
    };
    const deadlineAt = operation?.deadlineAt ?? clock.monotonic() + refreshTimeoutMs;
    // `fetchPage` may look at the deadline at once: the flight must be there before it starts.
    const flight: Flight = { page: Promise.resolve().then(fly), deadlineAt };
    this.#flights.set(id, flight);
    // Whoever waits hears of a failure; it is none that nobody does.
    flight.page.catch(() => undefined);
    return flight;
  }

  #isDue(page: HeldPage): boolean {
    const areCoversExpired = page.coversUntil !== null && this.#options.clock.monotonic() >= page.coversUntil;
    return !this.isFresh(page) || areCoversExpired;
  }
}

/** The rule by which operations are judged beforehand counts on full pages, and on charts as long as they say. */
function tooExpensive(): ApiError {
  return new ApiError('OPERATION_TOO_EXPENSIVE', {
    message:
      'This operation has fetched as many pages as it may (MAX_CREDITS_PER_OPERATION) and would take more than ' +
      'could be told beforehand. They are kept: ask for less at once, or again.',
  });
}

function rejectTimeout(): never {
  throw new ApiError('UPSTREAM_TIMEOUT');
}
