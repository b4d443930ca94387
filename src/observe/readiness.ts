import type { LimitsState, OpenCircuit } from '../data/upstream/limitsState.ts';
import { pageEndpoint } from '../domain/page.ts';

/**
 * What `/readyz` reports beside its status. None of it makes the server unready: it can still serve cached data.
 *
 * `redis`: `up` or `down`. `breaker`: `open` while calls for pages are stopped, because KeyAPI fails or refuses. Those for
 * numbers do not count: an account whose plan has none would show an open breaker for ever. `budget`: `left`, `spent`
 * when it does not cover a page, or `unknown` while Redis, which stores it, is down.
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
    breaker: limits.openCircuits().some(stopsPages) ? 'open' : 'closed',
    ...(creditsLeft !== undefined && { budget: isRedisUp === false ? 'unknown' : budget(creditsLeft) }),
  };
}

/** True for the circuit of the account, and that of the endpoint for pages. */
function stopsPages({ endpoint }: OpenCircuit): boolean {
  return endpoint === undefined || endpoint === pageEndpoint.name;
}
