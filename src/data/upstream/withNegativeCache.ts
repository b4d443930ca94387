import type { Clock } from '../../domain/clock.ts';
import type { Endpoint } from '../../domain/endpoint.ts';
import { ApiError } from '../../domain/errors.ts';
import type { Source } from '../../domain/source.ts';
import { NegativeCache } from './negativeCache.ts';
import type { NegativeTtlSettings } from './negativeTtl.ts';

/** See `withNegativeCache`. */
interface WithNegativeCacheOptions extends NegativeTtlSettings {
  readonly clock: Clock;
}

/** Adds a negative cache: until a key's failure expires, everyone gets the same error and no request is sent. */
export function withNegativeCache<Key, Value>(
  source: Source<Key, Value>,
  endpoint: Endpoint<Key>,
  options: WithNegativeCacheOptions,
): Source<Key, Value> {
  const failures = new NegativeCache({ ...options, endpoint });
  return async (key, call) => {
    const id = endpoint.toId(key);
    const failure = failures.find(id);
    if (failure) throw failure;
    try {
      const value = await source(key, call);
      failures.delete(id);
      return value;
    } catch (error) {
      if (error instanceof ApiError) failures.add(id, error);
      throw error;
    }
  };
}
