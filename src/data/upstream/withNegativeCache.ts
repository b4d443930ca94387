import { LRUCache } from 'lru-cache';
import type { Clock } from '../../domain/clock.ts';
import { ApiError } from '../../domain/errors.ts';
import { type PageSource, pageId } from '../../domain/page.ts';
import { callPauseSeconds } from './callPause.ts';
import { watchSending } from './watchSending.ts';

/** See `withNegativeCache`. */
interface NegativeCacheOptions {
  readonly clock: Clock;
  /** Time to live of the first failure of a page. It doubles with each further failure in a row, up to a minute. */
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
 * Caches failures, so that a failing upstream is not hammered and an outage costs little: until a page's failure
 * expires, everyone gets the same error and no request is sent. A refusal (400) is cached for 10 minutes. Not cached:
 * errors of calls that were not sent, and errors of the account. Bounded to 10,000 pages, for all operations of the
 * process.
 */
export function withNegativeCache(source: PageSource, { clock, ttlMs }: NegativeCacheOptions): PageSource {
  const failures = new LRUCache<string, Failure>({ max: MAX_FAILURES });

  function cacheFailure(id: string, error: ApiError): void {
    const isRefused = error.code === 'BAD_USER_INPUT';
    const count = isRefused ? 0 : (failures.get(id)?.count ?? 0) + 1;
    const ttl = isRefused ? REFUSED_TTL_MS : Math.min(ttlMs * 2 ** (count - 1), MAX_TTL_MS);
    failures.set(id, { error, until: clock.monotonic() + ttl, count });
  }

  return async (key, options) => {
    const id = pageId(key);
    const failure = failures.get(id);
    if (failure && clock.monotonic() < failure.until) throw failure.error;

    const { watched, isSent } = watchSending(options);
    try {
      const page = await source(key, watched);
      failures.delete(id);
      return page;
    } catch (error) {
      // Errors of the account hold for every page: the circuit breaker remembers them.
      if (isSent() && error instanceof ApiError && callPauseSeconds(error) === undefined)
        cacheFailure(id, error);
      throw error;
    }
  };
}
