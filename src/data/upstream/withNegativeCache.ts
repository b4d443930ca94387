import { LRUCache } from 'lru-cache';
import type { Clock } from '../../domain/clock.ts';
import type { Endpoint } from '../../domain/endpoint.ts';
import { ApiError, repeatError } from '../../domain/errors.ts';
import type { Source } from '../../domain/source.ts';
import { toCallPause } from './callPause.ts';

/** See `withNegativeCache`. */
interface NegativeCacheOptions {
  readonly clock: Clock;
  /** Time to live of the first failure of a key. It doubles with each further failure in a row, up to a minute. */
  readonly ttlMs: number;
}

interface Failure {
  readonly error: ApiError;
  /** On the monotonic clock. */
  readonly until: number;
  /** Failures in a row. */
  readonly count: number;
}

/** The longest time to live of a failure. */
export const MAX_TTL_MS = 60_000;
/** Time to live of a refusal (400): upstream would refuse the same request again, and bill it. */
export const REFUSED_TTL_MS = 600_000;
const MAX_FAILURES = 10_000;

/**
 * Caches failures, so that a failing upstream is not hammered and an outage costs little: until a key's failure expires,
 * everyone gets the same error and no request is sent. A refusal (400) is cached for 10 minutes. Not cached: errors of
 * calls that were not sent, and those after which all calls pause. Bounded to 10,000 keys, for all operations of the
 * process.
 */
export function withNegativeCache<Key, Value>(
  source: Source<Key, Value>,
  { toId }: Endpoint<Key>,
  { clock, ttlMs }: NegativeCacheOptions,
): Source<Key, Value> {
  const failures = new LRUCache<string, Failure>({ max: MAX_FAILURES });

  function cacheFailure(id: string, error: ApiError): void {
    const isRefused = error.code === 'BAD_USER_INPUT';
    const count = isRefused ? 0 : (failures.get(id)?.count ?? 0) + 1;
    const ttl = isRefused ? REFUSED_TTL_MS : Math.min(ttlMs * 2 ** (count - 1), MAX_TTL_MS);
    failures.set(id, { error, until: clock.monotonic() + ttl, count });
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
      // The circuit breakers remember what is not about this key.
      const isAboutKey = error instanceof ApiError && error.wasSent && !toCallPause(error);
      if (isAboutKey) cacheFailure(id, error);
      throw error;
    }
  };
}
