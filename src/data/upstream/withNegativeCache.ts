import { LRUCache } from 'lru-cache';
import type { Clock } from '../../domain/clock.ts';
import type { Endpoint } from '../../domain/endpoint.ts';
import { ApiError, repeatError } from '../../domain/errors.ts';
import type { Source } from '../../domain/source.ts';
import { type NegativeTtlSettings, toNegativeTtl } from './negativeTtl.ts';

/** See `withNegativeCache`. */
interface NegativeCacheOptions extends NegativeTtlSettings {
  readonly clock: Clock;
}

interface Failure {
  readonly error: ApiError;
  /** On the monotonic clock. */
  readonly until: number;
  /** Time to live of the first one in a row. */
  readonly firstMs: number;
  /** Failures in a row that began with the same time to live. */
  readonly count: number;
}

const MAX_FAILURES = 10_000;

/**
 * Caches failures, so that a failing upstream is not hammered and an outage costs little: until a key's failure expires,
 * everyone gets the same error and no request is sent. `toNegativeTtl` decides for how long. Not cached: errors of calls
 * that were not made, and those after which all calls pause. Bounded to 10,000 keys, for all operations of the process.
 */
export function withNegativeCache<Key, Value>(
  source: Source<Key, Value>,
  { toId }: Endpoint<Key>,
  { clock, ...settings }: NegativeCacheOptions,
): Source<Key, Value> {
  const failures = new LRUCache<string, Failure>({ max: MAX_FAILURES });

  function cacheFailure(id: string, error: ApiError): void {
    const ttl = toNegativeTtl(error, settings);
    if (!ttl) return;
    const { firstMs, maxMs } = ttl;
    const before = failures.get(id);
    const count = before?.firstMs === firstMs ? before.count + 1 : 1;
    const ttlMs = Math.min(firstMs * 2 ** (count - 1), maxMs);
    failures.set(id, { error, until: clock.monotonic() + ttlMs, firstMs, count });
  }

  return async (key, call) => {
    const id = toId(key);
    const failure = failures.get(id);
    if (failure && clock.monotonic() < failure.until) throw repeatError(failure.error);
    try {
      const value = await source(key, call);
      failures.delete(id);
      return value;
    } catch (error) {
      if (error instanceof ApiError) cacheFailure(id, error);
      throw error;
    }
  };
}
