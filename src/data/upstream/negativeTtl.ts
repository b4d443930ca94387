import type { Endpoint } from '../../domain/endpoint.ts';
import type { ApiError } from '../../domain/errors.ts';
import { EMPTY_PAGE_MS } from '../../domain/page.ts';
import { toCallPause } from './callPause.ts';

/** Settings of negative caches. */
export interface NegativeTtlSettings {
  /** Time to live of most failures, the first time. */
  readonly errorTtlMs: number;
  /** Time to live of a value. */
  readonly ttlMs: number;
}

/** How long a failure of one key is cached: twice as long with each further one in a row. */
export interface NegativeTtl {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** The longest time for which most failures are cached. */
const MAX_FAILURE_MS = 60_000;
/**
 * The longest time for which a refusal (400) or a response that cannot be read is cached: upstream would send the same
 * again, and bill it.
 */
export const MAX_REFUSED_MS = 600_000;

/** How long a failure is cached; undefined when it is not about one key. The circuit breakers remember others. */
export function toNegativeTtl(
  error: ApiError,
  endpoint: Pick<Endpoint<never>, 'pauses'>,
  { errorTtlMs, ttlMs }: NegativeTtlSettings,
): NegativeTtl | undefined {
  if (error.isEmpty) return { firstMs: EMPTY_PAGE_MS, maxMs: ttlMs };
  if (!error.isCallFailure || toCallPause(error, endpoint)) return undefined;
  if (error.code === 'BAD_USER_INPUT') return { firstMs: MAX_REFUSED_MS, maxMs: MAX_REFUSED_MS };
  // Without a response, it is not about this key alone: the circuit breaker counts it too.
  const isUnreadable = error.code === 'UPSTREAM_BAD_RESPONSE' && error.upstream !== undefined;
  return { firstMs: errorTtlMs, maxMs: isUnreadable ? MAX_REFUSED_MS : MAX_FAILURE_MS };
}

/** The longest time for which any failure is cached. */
export function longestNegativeTtl({ ttlMs }: NegativeTtlSettings): number {
  return Math.max(MAX_REFUSED_MS, ttlMs);
}
