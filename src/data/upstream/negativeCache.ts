import { LRUCache } from 'lru-cache';
import type { Clock } from '../../domain/clock.ts';
import type { Endpoint } from '../../domain/endpoint.ts';
import { type ApiError, repeatError } from '../../domain/errors.ts';
import { type NegativeTtlSettings, toNegativeTtl } from './negativeTtl.ts';

/** See `NegativeCache`. */
interface NegativeCacheOptions extends NegativeTtlSettings {
  readonly endpoint: Pick<Endpoint<never>, 'pauses'>;
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
 * Caches failures of an endpoint by id, so that a failing upstream is not hammered and an outage costs little.
 * `toNegativeTtl` decides for how long. Not cached: errors of calls that were not made, and those after which all calls
 * pause. Bounded to 10,000 ids, for all operations of the process.
 */
export class NegativeCache {
  readonly #options: NegativeCacheOptions;
  readonly #failures = new LRUCache<string, Failure>({ max: MAX_FAILURES });

  constructor(options: NegativeCacheOptions) {
    this.#options = options;
  }

  /** The error of an id, until it expires. */
  find(id: string): ApiError | undefined {
    const failure = this.#failures.get(id);
    const isCached = failure && this.#options.clock.monotonic() < failure.until;
    return isCached ? repeatError(failure.error) : undefined;
  }

  /** Caches the error of an id: twice as long with each further one in a row. */
  add(id: string, error: ApiError): void {
    const { endpoint, clock } = this.#options;
    const ttl = toNegativeTtl(error, endpoint, this.#options);
    if (!ttl) return;
    const { firstMs, maxMs } = ttl;
    const before = this.#failures.get(id);
    const count = before?.firstMs === firstMs ? before.count + 1 : 1;
    const ttlMs = Math.min(firstMs * 2 ** (count - 1), maxMs);
    this.#failures.set(id, { error, until: clock.monotonic() + ttlMs, firstMs, count });
  }

  /** Forgets the errors of an id, which has succeeded. */
  delete(id: string): void {
    this.#failures.delete(id);
  }
}
