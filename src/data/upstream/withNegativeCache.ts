import { LRUCache } from 'lru-cache';
import type { Clock } from '../../domain/clock.ts';
import { ApiError } from '../../domain/errors.ts';
import { type PageSource, pageId } from '../../domain/page.ts';
import { secondsRefused } from './accountRefusal.ts';
import { watchSending } from './watchSending.ts';

/** How long failures are remembered. */
export interface FailureMemoryOptions {
  readonly clock: Clock;
  /** The first failure of a page; each further one twice as long as the one before, up to a minute. */
  readonly ttlMs: number;
}

interface Failure {
  readonly error: ApiError;
  /** On the monotonic clock. */
  readonly until: number;
  /** Failures in a row. */
  readonly count: number;
}

/** However often a page has failed. */
export const MAX_TTL_MS = 60_000;
/** What upstream does not accept it will not accept a moment later, and asking costs. */
export const REFUSED_TTL_MS = 600_000;
const MAX_FAILURES = 10_000;

/**
 * Does not ask again for a page that has just failed: everyone gets the same error for a moment, so that a failing
 * upstream is not hammered and an outage costs little. A 400 is remembered for 10 minutes. A call that was never
 * sent is not remembered. At most 10,000 pages are, for the whole process.
 */
export function withFailureMemory(source: PageSource, { clock, ttlMs }: FailureMemoryOptions): PageSource {
  const failures = new LRUCache<string, Failure>({ max: MAX_FAILURES });

  function remember(id: string, error: ApiError): void {
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
      // What holds for every page is the circuit breaker's to remember.
      if (isSent() && error instanceof ApiError && secondsRefused(error) === undefined) remember(id, error);
      throw error;
    }
  };
}
