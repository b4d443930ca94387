import type { LimitsState } from '../data/upstream/limitsState.ts';
import { pageEndpoint } from '../domain/page.ts';

/**
 * What `/readyz` reports beside its status. None of it makes the server unready: it can still serve cached data.
 *
 * `redis`: `up` or `down`. `breaker`: `open` while calls are stopped, because KeyAPI fails or refuses. `budget`: `left`,
 * `spent` when it does not cover a page, or `unknown` while Redis, which stores it, is down.
 *
 * @param isRedisUp Undefined without Redis.
 */
export function describeReadiness(
  limits: LimitsState,
  isRedisUp: boolean | undefined,
): Readonly<Record<string, string>> {
  const creditsLeft = limits.creditsLeft();
  const budget = (left: number): string => (left >= pageEndpoint.credits ? 'left' : 'spent');
  return {
    ...(isRedisUp !== undefined && { redis: isRedisUp ? 'up' : 'down' }),
    breaker: limits.openCircuits().length > 0 ? 'open' : 'closed',
    ...(creditsLeft !== undefined && { budget: isRedisUp === false ? 'unknown' : budget(creditsLeft) }),
  };
}
