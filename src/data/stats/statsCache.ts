import pTimeout from 'p-timeout';
import type { Clock } from '../../domain/clock.ts';
import { ApiError } from '../../domain/errors.ts';
import { charge, type Operation, reserve } from '../../domain/operation.ts';
import { itemIdsOf, type Page } from '../../domain/page.ts';
import type { TrendingVideo } from '../../domain/trendingVideo.ts';
import type { Origin } from '../../domain/upstreamCost.ts';
import { type ServedStats, statsEndpoint } from '../../domain/videoStats.ts';
import type { NegativeCache } from '../upstream/negativeCache.ts';
import type { FetchStats, SettledStats, StatsCall } from './fetchStats.ts';
import { type PageStamp, PageStamps } from './pageStamps.ts';
import { roomAfter } from './statsBatches.ts';
import type { CachedStats, StatsStore } from './statsStore.ts';

/** What a statistics cache needs. */
interface StatsCacheOptions {
  readonly fetchStats: FetchStats;
  /** Imports what other replicas have of these videos into the store; undefined without Redis. */
  readonly lookUpShared?: ((itemIds: readonly string[]) => Promise<void>) | undefined;
  /** Whether calls to upstream are stopped, and would fail at once. */
  readonly isStopped: () => boolean;
  readonly store: StatsStore;
  /** By video. */
  readonly failures: NegativeCache;
  readonly clock: Clock;
  /** How long a refresh may take, waiting for its turn and retries included. */
  readonly refreshTimeoutMs: number;
}

/** A video whose numbers are needed, and the page that it is on. */
export interface VideoOnPage {
  readonly video: Pick<TrendingVideo, 'itemId'>;
  readonly page: Page;
}

/** Numbers of a video, and how an operation got them. */
export interface StatsWithOrigin {
  /** Null when KeyAPI does not know the video. */
  readonly stats: ServedStats | null;
  readonly origin: Origin;
  /** Until when they are fresh, on the monotonic clock. */
  readonly freshUntil: number;
}

/** Numbers that are being fetched. */
interface PendingStats {
  readonly settled: Promise<SettledStats>;
  /** The latest deadline of all operations that wait for them. */
  readonly deadline: { at: number };
}

/**
 * Caches numbers on videos, for all operations of the process.
 *
 * - Fresh numbers are served from memory.
 * - Expired ones are served, as stale, as long as the store has them, while one refresh runs in the background. An
 *   operation that has to wait for other numbers has the room in their last batch filled with those.
 * - Numbers that are missing are bought in batches of 10, whose room is filled with videos of the same pages. What is in
 *   flight for anybody is waited for, and never bought twice. A batch continues when nobody waits for it any more: it is
 *   paid for.
 * - That KeyAPI does not know a video is cached like its numbers. Failures are cached by video.
 */
export class StatsCache {
  readonly #options: StatsCacheOptions;
  /** By item id. */
  readonly #pending = new Map<string, PendingStats>();
  readonly #stamps: PageStamps;
  /** The store's `changes` when a page was touched last. */
  readonly #touched = new WeakMap<Page, number>();

  constructor(options: StatsCacheOptions) {
    this.#options = options;
    this.#stamps = new PageStamps(options.store);
  }

  /** How often the cached numbers have changed. */
  get changes(): number {
    return this.#options.store.changes;
  }

  /** The numbers of a video as they would be served now, undefined when they are not cached. Does not count as use. */
  peek(itemId: string): ServedStats | null | undefined {
    const { store } = this.#options;
    const entry = store.peek(itemId);
    return entry && store.serve(entry);
  }

  /** The monotonic clock, in milliseconds. */
  now(): number {
    return this.#options.clock.monotonic();
  }

  /** The numbers of a video while they are fresh at `now`, on that clock. */
  readFresh(itemId: string, now: number): ReturnType<StatsStore['readFresh']> {
    return this.#options.store.readFresh(itemId, now);
  }

  /** See `PageStamps`. */
  stampOf(page: Page, now = this.now()): PageStamp | undefined {
    return this.#stamps.of(page, now);
  }

  /** Counts the numbers on a page's videos as used: once is enough until others are added, and might evict them. */
  touch(page: Page): void {
    const { store } = this.#options;
    if (this.#touched.get(page) === store.changes) return;
    this.#touched.set(page, store.changes);
    for (const itemId of itemIdsOf(page)) store.get(itemId);
  }

  /** Until when numbers may be served that are fresh until then, on the monotonic clock. */
  staleUntil(freshUntil: number): number {
    return this.#options.store.staleUntil({ freshUntil });
  }

  /**
   * Gets the numbers of videos for an operation, in their order: fresh ones, or stale ones where those are cached or
   * fresh ones are unavailable; else an error. Waits for those that are not cached, until its deadline.
   */
  async fetch(
    videos: readonly VideoOnPage[],
    operation: Operation,
  ): Promise<readonly (StatsWithOrigin | Error)[]> {
    const { store } = this.#options;
    if (videos.some(({ video }) => !store.get(video.itemId))) await this.#lookUpShared(videos);
    const { found, refused } = await this.#fetchOnce(videos, operation);
    if (refused.length > 0) {
      const again = await this.#fetchOnce(refused, operation);
      for (const [itemId, result] of again.found) found.set(itemId, result);
    }
    return videos.map(({ video }) => found.get(video.itemId) ?? new ApiError('UPSTREAM_TIMEOUT'));
  }

  /**
   * Gets numbers from the cache, from calls in flight, or from one of the operation's own. `refused`: those for which a call
   * of somebody else was not made, which may be allowed for this operation.
   */
  async #fetchOnce(
    videos: readonly VideoOnPage[],
    operation: Operation,
  ): Promise<{
    readonly found: Map<string, StatsWithOrigin | Error>;
    readonly refused: readonly VideoOnPage[];
  }> {
    const { store, failures } = this.#options;
    const found = new Map<string, StatsWithOrigin | Error>();
    const waiting = new Map<string, PendingStats>();
    const absent = videos.filter(({ video: { itemId } }) => {
      if (store.get(itemId)) return false;
      const pending = this.#pending.get(itemId);
      const failure = pending ? undefined : failures.find(itemId);
      if (pending) waiting.set(itemId, pending);
      if (failure) found.set(itemId, failure);
      return !pending && !failure;
    });
    const expired = videos.filter(({ video: { itemId } }) => this.#isDue(itemId));
    // They have to be refreshed anyway: in the room of a batch they cost nothing.
    const along = expired
      .filter(({ video }) => !store.isRefused(video.itemId))
      .slice(0, roomAfter(absent.length));
    const started = absent.length > 0 ? this.#start([...absent, ...along], operation) : [];
    this.#refresh(expired.filter((video) => !along.includes(video)));

    for (const { deadline } of waiting.values()) deadline.at = Math.max(deadline.at, operation.deadlineAt);
    const settled = await this.#settleInTime(new Map([...waiting, ...started]), operation);

    for (const { video } of videos) {
      const outcome = settled.get(video.itemId);
      const result = this.#toResult(video.itemId, outcome, waiting.has(video.itemId));
      if (result) found.set(video.itemId, result);
    }
    const refused = videos.filter(
      ({ video: { itemId } }) => waiting.has(itemId) && isRefusal(found.get(itemId)),
    );
    return { found, refused };
  }

  /** The result for a video: if fresh numbers are unavailable, the stale ones, if there are any. */
  #toResult(
    itemId: string,
    outcome: SettledStats | undefined,
    hasWaited: boolean,
  ): StatsWithOrigin | Error | undefined {
    const { store } = this.#options;
    if (outcome && !(outcome instanceof Error))
      return this.#serve(outcome.entry, hasWaited ? 'shared' : outcome.origin);
    const entry = store.get(itemId);
    return entry ? this.#serve(entry, store.isFresh(entry) ? 'cached' : 'stale') : outcome;
  }

  /** Waits until nothing is in flight: all numbers that were paid for are then cached. */
  async settle(): Promise<void> {
    await Promise.all([...this.#pending.values()].map(({ settled }) => settled));
  }

  /** Looks up what is missing or expired, and what could fill a batch, in other replicas. */
  async #lookUpShared(videos: readonly VideoOnPage[]): Promise<void> {
    const { lookUpShared, store } = this.#options;
    const isWanted = (itemId: string): boolean => {
      const entry = store.peek(itemId);
      return !entry || !store.isFresh(entry);
    };
    const missing = videos.filter(({ video: { itemId } }) => !store.peek(itemId));
    const wanted = [...videos.map(({ video: { itemId } }) => itemId), ...neighboursOf(missing)];
    await lookUpShared?.([...new Set(wanted)].filter(isWanted));
  }

  /** True for numbers that have expired and are worth a refresh now. */
  #isDue(itemId: string): boolean {
    const { store, failures } = this.#options;
    const entry = store.peek(itemId);
    return (
      entry !== undefined &&
      !store.isFresh(entry) &&
      !this.#pending.has(itemId) &&
      failures.find(itemId) === undefined
    );
  }

  /** Refreshes expired numbers in the background. Costs credits, for later operations: these videos are in demand. */
  #refresh(videos: readonly VideoOnPage[]): void {
    if (videos.length > 0 && !this.#options.isStopped()) this.#start(videos);
  }

  /**
   * Starts to fetch numbers that are not in flight: for an operation or, without one, as a refresh that belongs to no
   * operation.
   */
  #start(videos: readonly VideoOnPage[], operation?: Operation): ReadonlyMap<string, PendingStats> {
    const { fetchStats, clock, refreshTimeoutMs } = this.#options;
    const deadline = { at: operation?.deadlineAt ?? clock.monotonic() + refreshTimeoutMs };
    const call: StatsCall = {
      deadline: () => deadline.at,
      background: operation === undefined,
      reserve: () => {
        if (operation) reserve(operation, statsEndpoint.credits);
      },
      onSent: () => {
        if (operation) charge(operation, statsEndpoint.credits, clock.monotonic());
      },
    };
    const resolvers = new Map<string, (settled: SettledStats) => void>();
    const track = (itemIds: readonly string[]): Map<string, PendingStats> => {
      // With Redis, another request of this process for a video that fills a batch may have begun meanwhile.
      const added = itemIds.filter((itemId) => !this.#pending.has(itemId));
      const tracked = added.map((itemId) => {
        const settled = new Promise<SettledStats>((resolve) => void resolvers.set(itemId, resolve));
        return [itemId, { settled, deadline }] as const;
      });
      for (const [itemId, pending] of tracked) this.#pending.set(itemId, pending);
      return new Map(tracked);
    };
    const onSettled = (itemId: string, settled: SettledStats): void => {
      const resolve = resolvers.get(itemId);
      if (!resolve) return;
      resolvers.delete(itemId);
      this.#pending.delete(itemId);
      resolve(settled);
    };
    const itemIds = videos.map(({ video: { itemId } }) => itemId);
    const started = track(itemIds);
    const others = this.#toOthers(videos);
    void fetchStats({ itemIds, others, call, onFill: (filled) => void track(filled), onSettled });
    return started;
  }

  /**
   * Videos of the same pages that may fill the last batch: first those without numbers, then those whose numbers have
   * expired. The pages of the last videos come first: they are most likely to be in that batch.
   */
  #toOthers(videos: readonly VideoOnPage[]): string[] {
    const { store, failures } = this.#options;
    const candidates = neighboursOf([...videos].reverse()).filter(
      (itemId) => !this.#pending.has(itemId) && failures.find(itemId) === undefined,
    );
    const missing = candidates.filter((itemId) => !store.peek(itemId));
    return [...missing, ...candidates.filter((itemId) => this.#isDue(itemId))];
  }

  /** The outcome of numbers in flight at the operation's deadline. */
  async #settleInTime(
    pending: ReadonlyMap<string, PendingStats>,
    { deadlineAt }: Operation,
  ): Promise<ReadonlyMap<string, SettledStats>> {
    const outcomes = new Map<string, SettledStats>();
    if (pending.size === 0) return outcomes;
    const { clock } = this.#options;
    const all = [...pending].map(async ([itemId, { settled }]) => {
      outcomes.set(itemId, await settled);
    });
    await pTimeout(Promise.all(all), {
      milliseconds: Math.max(1, deadlineAt - clock.monotonic()),
      fallback: () => undefined,
      customTimers: clock.timers,
    });
    return outcomes;
  }

  #serve(entry: CachedStats, origin: Origin): StatsWithOrigin {
    return { stats: this.#options.store.serve(entry), origin, freshUntil: entry.freshUntil };
  }
}

/** The videos of the pages that these are on, each once. */
function neighboursOf(videos: readonly VideoOnPage[]): string[] {
  const pages = new Set(videos.map(({ page }) => page));
  return [...new Set([...pages].flatMap(itemIdsOf))];
}

/** True for the error of a call that was not made. */
function isRefusal(result: StatsWithOrigin | Error | undefined): boolean {
  return result instanceof ApiError && !result.isCallFailure;
}
