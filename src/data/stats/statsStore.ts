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

/** The numbers of a video in the store. */
interface Slot {
  /** Its numbers are served as they are while they are fresh: the same object, so that JSON of it can be reused. */
  readonly entry: CachedStats & { readonly stats: ServedStats | null };
  /** What is served after that, likewise; created on demand. */
  stale?: ServedStats;
}

/** What the numbers of one video take in memory, measured: with the copy that is served while they are stale. */
export const ENTRY_BYTES = 600;

/** Stores the numbers of videos in bounded memory; the least recently used are evicted first. */
export class StatsStore {
  readonly #options: StatsStoreOptions;
  readonly #slots: LRUCache<string, Slot>;
  #changes = 0;

  constructor(options: StatsStoreOptions) {
    this.#options = options;
    this.#slots = new LRUCache({ max: Math.max(1, Math.floor(options.maxBytes / ENTRY_BYTES)) });
  }

  /** What all numbers take together. */
  get bytes(): number {
    return this.#slots.size * ENTRY_BYTES;
  }

  /** How often numbers were added. */
  get changes(): number {
    return this.#changes;
  }

  /** The numbers of a video, as long as they may be used; counts as use. */
  get(itemId: string): CachedStats | undefined {
    return this.#ifUsable(this.#slots.get(itemId)?.entry);
  }

  /** The same; does not count as use. */
  peek(itemId: string): CachedStats | undefined {
    return this.#ifUsable(this.#slots.peek(itemId)?.entry);
  }

  /** Whether KeyAPI refuses requests for a video, as far as is known here. */
  isRefused(itemId: string): boolean {
    return this.peek(itemId)?.isRefused === true;
  }

  /** True until the end of their time to live. */
  isFresh({ freshUntil }: Pick<CachedStats, 'freshUntil'>): boolean {
    return this.#options.clock.monotonic() < freshUntil;
  }

  /** Until when they may be used, on the monotonic clock. */
  staleUntil({ freshUntil }: Pick<CachedStats, 'freshUntil'>): number {
    return freshUntil + this.#options.staleMs;
  }

  /** The numbers as they are served now: the same object each time, until they expire, and one after that. */
  serve(entry: CachedStats): ServedStats | null {
    const { itemId, stats } = entry;
    const stored = this.#slots.peek(itemId);
    // It may have been evicted already.
    const slot = stored?.entry === entry ? stored : toSlot(entry);
    if (this.isFresh(entry)) return slot.entry.stats;
    if (stats) slot.stale ??= toServed(stats, true);
    return slot.stale ?? null;
  }

  /** The numbers of a video while they are fresh at `now`, on the monotonic clock. Counts as use. */
  readFresh(
    itemId: string,
    now: number,
  ): { readonly stats: ServedStats | null; readonly freshUntil: number } | undefined {
    const slot = this.#slots.get(itemId);
    if (!slot || now >= slot.entry.freshUntil) return undefined;
    return slot.entry;
  }

  /** Adds the numbers of a video, in place of older ones; gives the entry as it is stored. */
  add(entry: CachedStats): CachedStats {
    this.#changes++;
    const slot = toSlot(entry);
    this.#slots.set(entry.itemId, slot);
    return slot.entry;
  }

  /** All numbers, the least recently used first: adding them in this order restores the store. */
  all(): CachedStats[] {
    return [...this.#slots.rvalues()].flatMap((slot) => slot?.entry ?? []);
  }

  #ifUsable(entry: CachedStats | undefined): CachedStats | undefined {
    return entry && this.#options.clock.monotonic() < this.staleUntil(entry) ? entry : undefined;
  }
}

function toSlot({ itemId, stats, freshUntil, isRefused }: CachedStats): Slot {
  return { entry: { itemId, stats: stats && toServed(stats, false), freshUntil, isRefused } };
}

/** Field by field: objects with a spread take twice the memory. */
function toServed(stats: VideoStats, stale: boolean): ServedStats {
  const { views, likes, comments, shares, favorites, publishedAt, fetchedAt } = stats;
  return { views, likes, comments, shares, favorites, publishedAt, fetchedAt, stale };
}
