import { type CachedPage, denies, type Page, type PageKey } from '../../domain/page.ts';
import { longestTtlMs, type StorePageOptions, storePage, toCoversUntil } from '../pages/storePage.ts';
import type { RedisConnection } from './connection/redisConnection.ts';
import { decodeValue, type PageValue } from './pageValue.ts';
import { keyOfPage } from './scripts/redisKeys.ts';

/** What importing pages needs. */
export interface PageImporterOptions extends StorePageOptions {
  readonly redis: RedisConnection;
}

/** Imports pages from Redis into the store. */
export interface PageImporter {
  /**
   * Imports a value; returns the newest copy that is then cached. Undefined for a value that is not this page, or that
   * contradicts what is cached.
   */
  importValue(value: Buffer, key: PageKey): CachedPage | undefined;
  /** Stores a page that was just stored in Redis. */
  storeValue(value: PageValue): CachedPage;
  /** Stores a page that could not be stored in Redis. */
  storeLocally(page: Page): CachedPage;
  /**
   * True for a sequence number that lies ahead of Redis's clock: it comes from a local clock that was ahead before
   * Redis's time was known, or is not one of ours.
   */
  isFromFuture(page: Pick<CachedPage, 'sequence'>): boolean;
  /** Imports each of these pages that is newer in Redis, with one `MGET`; returns the keys of those imported. */
  importPages<TKey extends PageKey>(keys: readonly TKey[]): Promise<TKey[]>;
}

/** By how much a replica's clock may be ahead of Redis's. */
const TOLERANCE_MS = 1000;

/** See `PageImporter`. */
export function createPageImporter(options: PageImporterOptions): PageImporter {
  const { redis, store, clock } = options;

  async function importPages<TKey extends PageKey>(keys: readonly TKey[]): Promise<TKey[]> {
    if (keys.length === 0) return [];
    const values = await redis.read(keys.map(keyOfPage));
    return keys.filter((key, index) => {
      const value = values[index];
      const decoded = value ? decodeValue(value, key) : undefined;
      return decoded && importIfNewer(decoded);
    });
  }

  function importValue(value: Buffer, key: PageKey): CachedPage | undefined {
    const decoded = decodeValue(value, key);
    if (!decoded || store.contradicts(decoded.page)) return undefined;
    return importIfNewer(decoded) ?? store.newest(key);
  }

  /** Undefined when the cached copy is no older, and for a value that is from the future or contradicts what is cached. */
  function importIfNewer(value: PageValue): CachedPage | undefined {
    const { page, sequence } = value;
    const cached = store.newest(page);
    if (isFromFuture(value) || store.contradicts(page)) return undefined;
    // Rows take precedence over a page that says that they do not exist, however new it is.
    const isDenied = cached !== undefined && denies(cached, page);
    // Also of a copy that may not be used any more.
    const latest = store.latest(page);
    const isOlder = latest !== undefined && latest.sequence >= sequence && !isFromFuture(latest);
    return isOlder && !isDenied ? undefined : storeValue(value);
  }

  function storeValue({ page, sequence, generation, freshUntil, replaces }: PageValue): CachedPage {
    const now = clock.monotonic();
    const ageMs = Math.max(0, clock.now() - page.fetchedAt);
    const isReplacement = replaces || store.newest(page)?.generation === generation;
    const cached = {
      ...page,
      fetchedAt: Math.min(page.fetchedAt, clock.now()),
      sequence,
      generation,
      freshUntil: now + Math.min(freshUntil - redis.now(), longestTtlMs(page, options.ttlMs)),
      coversUntil: isReplacement ? null : toCoversUntil(page, now - ageMs),
    };
    if (store.copies(page.chart).some((copy) => copy.number === page.number && isFromFuture(copy)))
      store.delete(page);
    store.add(cached);
    return cached;
  }

  function storeLocally(page: Page): CachedPage {
    return storePage(page, options, toSequence(redis.now()));
  }

  function isFromFuture({ sequence }: Pick<CachedPage, 'sequence'>): boolean {
    return sequence > toSequence(redis.now() + TOLERANCE_MS);
  }

  return { importValue, storeValue, storeLocally, isFromFuture, importPages };
}

/** Converts milliseconds to a sequence number: microseconds, hardly ever the same for two pages. */
export function toSequence(ms: number): number {
  return Math.round(ms * 1000);
}
