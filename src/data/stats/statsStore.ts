import { LRUCache } from 'lru-cache';
import type { Clock } from '../../domain/clock.ts';
import type { ServedStats, VideoStats } from '../../domain/videoStats.ts';

/** The numbers of a video in the cache. */
export interface CachedStats {
  readonly itemId: string;
  /** Null for a video that KeyAPI does not know. */
  readonly stats: VideoStats | null;
  /** End of their time to live, on the monotonic clock. */
  readonly freshUntil: number;
  /** True when KeyAPI refuses requests for this video: it must not be in a batch with others. */
  readonly isRefused: boolean;
}

/** What a statistics store needs. */
interface StatsStoreOptions {
  readonly clock: Clock;
  /** How long expired numbers may still be used. */
  readonly staleMs: number;
  /** Bounds the size of all numbers. */
  readonly maxBytes: number;
}

/** What the numbers of one video take in memory, roughly, with the copy that is served while they are stale. */
export const ENTRY_BYTES = 500;

/** Stores the numbers of videos in bounded memory; the least recently used are evicted first. */
export class StatsStore {
  readonly #options: StatsStoreOptions;
  readonly #entries: LRUCache<string, CachedStats>;
  /** What is served while the numbers are fresh, and after that: one object each, so that JSON of it can be reused. */
  readonly #served = new WeakMap<VideoStats, { readonly fresh: ServedStats; readonly stale: ServedStats }>();
  #changes = 0;

  constructor(options: StatsStoreOptions) {
    this.#options = options;
    this.#entries = new LRUCache({ max: Math.max(1, Math.floor(options.maxBytes / ENTRY_BYTES)) });
  }

  /** What all numbers take together. */
  get bytes(): number {
    return this.#entries.size * ENTRY_BYTES;
  }

  /** How often numbers were added. */
  get changes(): number {
    return this.#changes;
  }

  /** The numbers of a video, as long as they may be used; counts as use. */
  get(itemId: string): CachedStats | undefined {
    return this.#ifUsable(this.#entries.get(itemId));
  }

  /** The same; does not count as use. */
  peek(itemId: string): CachedStats | undefined {
    return this.#ifUsable(this.#entries.peek(itemId));
  }

  /** True until the end of their time to live. */
  isFresh({ freshUntil }: Pick<CachedStats, 'freshUntil'>): boolean {
    return this.#options.clock.monotonic() < freshUntil;
  }

  /** Until when they may be used, on the monotonic clock. */
  staleUntil({ freshUntil }: Pick<CachedStats, 'freshUntil'>): number {
    return freshUntil + this.#options.staleMs;
  }

  /** The numbers as they are served now: the same object each time, until they expire or are replaced. */
  serve(entry: CachedStats): ServedStats | null {
    const { stats } = entry;
    if (!stats) return null;
    let served = this.#served.get(stats);
    if (!served) {
      served = { fresh: { ...stats, stale: false }, stale: { ...stats, stale: true } };
      this.#served.set(stats, served);
    }
    return this.isFresh(entry) ? served.fresh : served.stale;
  }

  /** Adds the numbers of a video, in place of older ones. */
  add(entry: CachedStats): void {
    this.#changes++;
    this.#entries.set(entry.itemId, entry);
  }

  /** All numbers, the least recently used first: adding them in this order restores the store. */
  all(): CachedStats[] {
    return [...this.#entries.rvalues()].filter((entry) => entry !== undefined);
  }

  #ifUsable(entry: CachedStats | undefined): CachedStats | undefined {
    return entry && this.#options.clock.monotonic() < this.staleUntil(entry) ? entry : undefined;
  }
}
