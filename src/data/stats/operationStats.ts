import DataLoader from 'dataloader';
import type { Operation } from '../../domain/operation.ts';
import type { Page } from '../../domain/page.ts';
import { createOriginCounts, type Origin } from '../../domain/upstreamCost.ts';
import type { ServedStats } from '../../domain/videoStats.ts';
import type { PageStamp } from './pageStamps.ts';
import type { StatsCache, StatsWithOrigin, VideoOnPage } from './statsCache.ts';

/** The numbers of a video: null when KeyAPI does not know it, an error when they are unavailable. */
export type StatsResult = ServedStats | null | Error;

/** Until when the numbers of an operation are fresh, and may be served stale, on the monotonic clock. */
export interface StatsFreshness {
  readonly freshUntil: number;
  readonly staleUntil: number;
  /** `StatsCache.changes` when the first of them was read. */
  readonly statsChanges: number;
}

/**
 * The numbers that one operation reads: the record of what it has used, which decides its cost and how long its result may
 * be cached. A video has the same numbers, or the same error, throughout the operation. Not shared between operations.
 */
export class OperationStats {
  readonly #cache: StatsCache;
  readonly #operation: Operation;
  readonly #results = new Map<string, StatsResult>();
  /** The first videos that were loaded, if all numbers on their pages were fresh: without results as yet. */
  #first: readonly VideoOnPage[] = [];
  /** Collects the videos of one tick, whatever window or lookup they are for. Created on demand: most are cached. */
  #loader: DataLoader<VideoOnPage, undefined, string> | undefined;
  #freshUntil = Number.POSITIVE_INFINITY;
  #hasErrors = false;
  /** `StatsCache.changes` at the first read; undefined before it. */
  #changes: number | undefined;

  constructor(cache: StatsCache, operation: Operation) {
    this.#cache = cache;
    this.#operation = operation;
  }

  /** Gets the numbers of these videos; those of one tick are bought together. May cost credits: they were selected. */
  async load(videos: readonly VideoOnPage[]): Promise<void> {
    this.#operation.cost.stats ??= createOriginCounts();
    const now = this.#cache.now();
    const isFirst = this.#changes === undefined;
    this.#changes ??= this.#cache.changes;
    if (isFirst && this.#useStamps(videos, now)) return;
    this.#resolveFirst();
    const others = videos.filter(({ video: { itemId } }) => {
      if (this.#results.has(itemId)) return false;
      const found = this.#cache.readFresh(itemId, now);
      if (found) this.#record(itemId, found, 'cached');
      return !found;
    });
    if (others.length === 0) return;
    this.#loader ??= this.#createLoader();
    const loaded = await this.#loader.loadMany(others);
    // Unforeseen: the loader's own errors are among the results.
    for (const [index, { video }] of others.entries()) {
      const error = loaded[index];
      if (error instanceof Error) this.#recordError(video.itemId, error);
    }
  }

  /** Keeps the numbers that were used by their stamps: further videos are compared with them. */
  #resolveFirst(): void {
    for (const { video } of this.#first) {
      const stats = this.#cache.peek(video.itemId);
      if (stats !== undefined) this.#results.set(video.itemId, stats);
    }
    this.#first = [];
  }

  /** The numbers of a video that was loaded; those that are cached of any other, undefined when there are none. */
  get(itemId: string): StatsResult | undefined {
    return this.#results.has(itemId) ? this.#results.get(itemId) : this.#cache.peek(itemId);
  }

  /** See `PageStamps`. Undefined when numbers have arrived that this operation may not have. */
  stampOf(page: Page): PageStamp | undefined {
    return this.#changes === this.#cache.changes ? this.#cache.stampOf(page) : undefined;
  }

  /** True when numbers that were loaded are unavailable. */
  get hasErrors(): boolean {
    return this.#hasErrors;
  }

  /** Undefined when no numbers were read. */
  freshness(): StatsFreshness | undefined {
    if (this.#changes === undefined) return undefined;
    const freshUntil = this.#freshUntil;
    return { freshUntil, staleUntil: this.#cache.staleUntil(freshUntil), statsChanges: this.#changes };
  }

  /** Uses the numbers of these videos if all those on their pages are fresh; false if not. */
  #useStamps(videos: readonly VideoOnPage[], now: number): boolean {
    const itemIds = new Set<string>();
    let freshUntil = Number.POSITIVE_INFINITY;
    let page: Page | undefined;
    let stamp: PageStamp | undefined;
    for (const { video, page: pageOfVideo } of videos) {
      if (pageOfVideo !== page) stamp = this.#cache.stampOf(pageOfVideo, now);
      if (!stamp) return false;
      page = pageOfVideo;
      itemIds.add(video.itemId);
      freshUntil = Math.min(freshUntil, stamp.freshUntil.get(video.itemId) ?? now);
    }
    this.#first = videos;
    this.#recordUse('cached', itemIds.size, freshUntil);
    return true;
  }

  /** Each video counts once. */
  #record(
    itemId: string,
    { stats, freshUntil }: Pick<StatsWithOrigin, 'stats' | 'freshUntil'>,
    origin: Origin,
  ): void {
    this.#results.set(itemId, stats);
    this.#recordUse(origin, 1, freshUntil);
  }

  #recordUse(origin: Origin, videos: number, freshUntil: number): void {
    const counts = this.#operation.cost.stats;
    if (counts) counts[origin] += videos;
    this.#freshUntil = Math.min(this.#freshUntil, freshUntil);
  }

  #recordError(itemId: string, error: Error): void {
    this.#results.set(itemId, error);
    this.#hasErrors = true;
  }

  #createLoader(): DataLoader<VideoOnPage, undefined, string> {
    return new DataLoader(
      async (videos) => {
        const found = await this.#cache.fetch(videos, this.#operation);
        for (const [index, { video }] of videos.entries()) {
          const result = found[index];
          if (result instanceof Error) this.#recordError(video.itemId, result);
          else if (result) this.#record(video.itemId, result, result.origin);
        }
        return videos.map(() => undefined);
      },
      {
        cacheKeyFn: ({ video }) => video.itemId,
        // Later than DataLoader's own schedule: videos that are looked up are known only when it has run.
        batchScheduleFn: (dispatch) => void setImmediate(dispatch),
      },
    );
  }
}
