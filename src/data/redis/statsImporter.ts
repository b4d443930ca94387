import type { Clock } from '../../domain/clock.ts';
import type { CachedStats, StatsStore } from '../stats/statsStore.ts';
import type { NegativeCache } from '../upstream/negativeCache.ts';
import { MAX_REFUSED_MS } from '../upstream/negativeTtl.ts';
import type { RedisConnection } from './connection/redisConnection.ts';
import { keyOfStats } from './scripts/redisKeys.ts';
import { BOUNDS } from './scripts/script.ts';
import { decodeStats, encodeStats, type StatsValue } from './statsValue.ts';

/** What importing numbers needs. */
export interface StatsImporterOptions {
  readonly redis: RedisConnection;
  readonly store: StatsStore;
  /** By video. */
  readonly failures: NegativeCache;
  readonly clock: Clock;
  /** How long numbers are fresh. */
  readonly ttlMs: number;
}

/** Moves numbers between the store and Redis. */
interface StatsImporter {
  /** Imports a value, unless what is cached is as new; returns what is then cached. Undefined when it cannot be read. */
  importValue(value: Buffer, itemId: string): CachedStats | undefined;
  /** Imports what Redis has of these videos, with one `MGET`. Never rejects; does nothing while Redis is down. */
  lookUp(itemIds: readonly string[]): Promise<void>;
  /** The value of an entry. */
  toValue(entry: CachedStats): string;
}

/** By how much the expiry of the same numbers may differ, converted from Redis's clock at different times. */
const TOLERANCE_MS = 1000;

/** See `StatsImporter`. */
export function createStatsImporter(options: StatsImporterOptions): StatsImporter {
  const { redis, store, failures, clock, ttlMs } = options;

  function importValue(value: Buffer, itemId: string): CachedStats | undefined {
    const decoded = decodeStats(value, itemId);
    if (!decoded || decoded.fetchedAt > redis.now() + BOUNDS.MAX_LEAD_MS) return undefined;
    const entry = toEntry(decoded);
    const cached = store.peek(itemId);
    if (cached && !isNewer(entry, cached)) return cached;
    if (store.isFresh(entry)) failures.delete(itemId);
    return store.add(entry);
  }

  function isNewer(entry: CachedStats, cached: CachedStats): boolean {
    if (store.isFresh(entry) && !store.isFresh(cached)) return true;
    return entry.freshUntil > cached.freshUntil + TOLERANCE_MS;
  }

  function toEntry({ itemId, stats, fetchedAt, freshUntil, isRefused }: StatsValue): CachedStats {
    const longestMs = longestTtlMs(isRefused);
    const leftMs = Math.min(freshUntil, fetchedAt + longestMs) - redis.now();
    return {
      itemId,
      // By the wall clock of the replica that fetched them.
      stats: stats && { ...stats, fetchedAt: Math.min(stats.fetchedAt, clock.now()) },
      freshUntil: clock.monotonic() + Math.min(leftMs, longestMs),
      isRefused,
    };
  }

  async function lookUp(itemIds: readonly string[]): Promise<void> {
    if (!redis.isUp() || itemIds.length === 0) return;
    // When Redis fails, only the numbers cached here are used.
    const values = await redis.read(itemIds.map(keyOfStats)).catch(() => []);
    for (const [index, itemId] of itemIds.entries()) {
      const value = values[index];
      if (value) importValue(value, itemId);
    }
  }

  function toValue({ itemId, stats, freshUntil, isRefused }: CachedStats): string {
    const until = freshUntil - clock.monotonic() + redis.now();
    const fetchedAt = Math.max(0, until - longestTtlMs(isRefused));
    return encodeStats({ itemId, stats, fetchedAt, freshUntil: until, isRefused });
  }

  function longestTtlMs(isRefused: boolean): number {
    return isRefused ? MAX_REFUSED_MS : ttlMs;
  }

  return { importValue, lookUp, toValue };
}
