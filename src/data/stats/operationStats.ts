import DataLoader from 'dataloader';
import type { Operation } from '../../domain/operation.ts';
import { createOriginCounts } from '../../domain/upstreamCost.ts';
import type { ServedStats } from '../../domain/videoStats.ts';
import type { StatsCache, StatsWithOrigin, VideoOnPage } from './statsCache.ts';

/** The numbers of a video: null when KeyAPI does not know it, an error when they are unavailable. */
export type StatsResult = ServedStats | null | Error;

/** Until when the numbers of an operation are fresh, and may be served stale, on the monotonic clock. */
export interface StatsFreshness {
  readonly freshUntil: number;
  readonly staleUntil: number;
  /** `StatsCache.changes` when they were read. */
  readonly changes: number;
}

/**
 * The numbers that one operation reads: the record of what it has used, which decides its cost and how long its result may
 * be cached. A video has the same numbers, or the same error, throughout the operation. Not shared between operations.
 */
export class OperationStats {
  readonly #cache: StatsCache;
  readonly #operation: Operation;
  readonly #results = new Map<string, StatsResult>();
  /** Collects the videos of one tick, whatever window or lookup they are for. Created on demand: most are cached. */
  #loader: DataLoader<VideoOnPage, undefined, string> | undefined;
  #freshUntil = Number.POSITIVE_INFINITY;
  #staleUntil = Number.POSITIVE_INFINITY;
  /** Undefined as long as nothing was read. */
  #changes: number | undefined;

  constructor(cache: StatsCache, operation: Operation) {
    this.#cache = cache;
    this.#operation = operation;
  }

  /** Gets the numbers of these videos; those of one tick are bought together. May cost credits: they were selected. */
  async load(videos: readonly VideoOnPage[]): Promise<void> {
    this.#operation.cost.stats ??= createOriginCounts();
    const others = videos.filter(({ itemId }) => !this.#results.has(itemId) && !this.#readFresh(itemId));
    if (others.length === 0) return;
    this.#loader ??= this.#createLoader();
    await this.#loader.loadMany(others);
  }

  /** The numbers of a video that was loaded; those that are cached of any other, undefined when there are none. */
  get(itemId: string): StatsResult | undefined {
    return this.#results.has(itemId) ? this.#results.get(itemId) : this.#cache.peek(itemId);
  }

  /** Undefined when no numbers were read. */
  freshness(): StatsFreshness | undefined {
    if (this.#changes === undefined) return undefined;
    return { freshUntil: this.#freshUntil, staleUntil: this.#staleUntil, changes: this.#changes };
  }

  #readFresh(itemId: string): boolean {
    const found = this.#cache.readFresh(itemId);
    if (found) this.#record(itemId, found);
    return found !== undefined;
  }

  /** Each video counts once. */
  #record(itemId: string, found: StatsWithOrigin): void {
    const { stats, origin, freshUntil, staleUntil } = found;
    this.#results.set(itemId, stats);
    const { cost } = this.#operation;
    if (cost.stats) cost.stats[origin]++;
    this.#freshUntil = Math.min(this.#freshUntil, freshUntil);
    this.#staleUntil = Math.min(this.#staleUntil, staleUntil);
    this.#changes = this.#cache.changes;
  }

  #createLoader(): DataLoader<VideoOnPage, undefined, string> {
    return new DataLoader(
      async (videos) => {
        const found = await this.#cache.fetch(videos, this.#operation);
        for (const [index, { itemId }] of videos.entries()) {
          const result = found[index];
          if (result instanceof Error) this.#results.set(itemId, result);
          else if (result) this.#record(itemId, result);
        }
        return videos.map(() => undefined);
      },
      {
        cacheKeyFn: ({ itemId }) => itemId,
        // Later than DataLoader's own schedule: videos that are looked up are known only when it has run.
        batchScheduleFn: (dispatch) => void setImmediate(dispatch),
      },
    );
  }
}
