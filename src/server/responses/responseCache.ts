import { LRUCache } from 'lru-cache';
import { copyBytes } from '../../graphql/execution/byteText.ts';
import type { Freshness } from '../../graphql/execution/operationResult.ts';
import type { HttpResponse } from './httpResponse.ts';
import { RecentKeys } from './recentKeys.ts';
import { hasSameBody, type RequestKey } from './requestKey.ts';

/** See `ResponseCache`. */
interface ResponseCacheOptions {
  readonly maxBytes: number;
  /** The clock that pages expire by, in milliseconds. */
  readonly monotonic: () => number;
  /** Whether executing the operation again would give the same result: nothing that it was made of has changed. */
  readonly isCurrent: (freshness: Freshness) => boolean;
  /** Whether ranks of past days have changed that it was made of. */
  readonly isOutdated: (freshness: Freshness) => boolean;
  /** Records that a cached response is sent again. */
  readonly recordHit: (freshness: Freshness) => void;
}

interface Entry {
  readonly key: RequestKey;
  readonly response: HttpResponse;
  readonly freshness: Freshness;
  /** On the monotonic clock. */
  readonly expiresAt: number;
  /** True when pages, or numbers, that arrive later may change the response. */
  readonly isVolatile: boolean;
  /** When a hit was last recorded, likewise. */
  recordedAt: number;
}

/** Time to live of a volatile response, as long as no page arrives. */
const VOLATILE_TTL_MS = 1000;

/** How often the hits of a response are recorded: often enough for pages in demand to stay cached. */
const RECORD_MS = 1000;

/** Memory of an entry apart from its texts, roughly. */
const OVERHEAD_BYTES = 2500;

/**
 * Caches responses without errors, for all operations of the process, under all that a response may depend on.
 *
 * - A response expires when the first of its pages and numbers does; one with ranks of past days also when the UTC day ends,
 *   and as soon as these change.
 * - One in which any of these is stale, or with videos that were looked up, is volatile: it expires after a second, or as
 *   soon as a page arrives, or numbers if it has any.
 * - Never cached: responses without pages, and those in which a video was not found.
 *
 * Bounded; the least recently used response is evicted first, if the new one has cost something or is in demand.
 */
export class ResponseCache {
  readonly #entries: LRUCache<string, Entry>;
  readonly #options: ResponseCacheOptions;
  readonly #recentKeys = new RecentKeys();

  constructor(options: ResponseCacheOptions) {
    this.#options = options;
    this.#entries = new LRUCache({
      maxSize: options.maxBytes,
      sizeCalculation: ({ key, response }) => sizeOf(key, response.body.length),
    });
  }

  /** What all entries take. */
  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  /** The response cached under `key`. */
  get(key: RequestKey): HttpResponse | undefined {
    const entry = this.#entries.get(key.text);
    if (!entry || !hasSameBody(entry.key, key)) return undefined;
    const { monotonic, isCurrent, isOutdated, recordHit } = this.#options;
    const { response, freshness, expiresAt, isVolatile } = entry;
    const now = monotonic();
    if (now >= expiresAt || isOutdated(freshness) || (isVolatile && !isCurrent(freshness))) {
      this.#entries.delete(key.text);
      return undefined;
    }
    if (now >= entry.recordedAt + RECORD_MS) {
      entry.recordedAt = now;
      recordHit(freshness);
    }
    return response;
  }

  /**
   * Whether a response that cost nothing is worth caching. In a full cache it must be in demand: no more other responses than
   * the cache has, or twice as many, have been built since it was built before. Others would only replace those that are.
   */
  hasRoomFor(key: RequestKey, bodyBytes: number): boolean {
    const { maxBytes } = this.#options;
    const bytes = sizeOf(key, bodyBytes);
    return this.bytes + bytes <= maxBytes || this.#recentKeys.see(key.text, this.#entries.size);
  }

  /**
   * Caches a response without errors.
   *
   * @param toResponse Builds it, when it is cached.
   */
  set(key: RequestKey, freshness: Freshness, toResponse: () => HttpResponse): void {
    const { freshUntil, staleUntil, hasLookups } = freshness;
    const now = this.#options.monotonic();
    const isStale = now >= freshUntil;
    const isVolatile = isStale || hasLookups;
    const until = isStale ? staleUntil : freshUntil;
    const expiresAt = isVolatile ? Math.min(until, now + VOLATILE_TTL_MS) : until;
    // A cover that has expired already leaves it no time to live.
    if (expiresAt <= now) return;
    this.#entries.set(key.text, {
      key: { text: key.text, body: copyBytes(key.body) },
      response: toResponse(),
      freshness,
      expiresAt,
      isVolatile,
      recordedAt: Number.NEGATIVE_INFINITY,
    });
  }
}

/** What an entry takes in memory, roughly: the two compressed forms take less than half of the body each. */
function sizeOf({ text, body }: RequestKey, bodyBytes: number): number {
  return OVERHEAD_BYTES + text.length + body.length + 2 * bodyBytes;
}
