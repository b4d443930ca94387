import type { RedisConnection } from '../data/redis/connection/redisConnection.ts';
import { shareRequestCounts } from '../data/redis/shareRequestCounts.ts';
import { createRateLimiter, type RateLimiter } from '../server/protection/rateLimiter.ts';
import type { AppContext } from './appContext.ts';

/** Creates the rate limiter for clients, which exchanges its counts through Redis; undefined if there is no limit. */
export function createSharedRateLimiter(
  { config, clock }: AppContext,
  redis: RedisConnection | undefined,
): RateLimiter | undefined {
  const { requestsPerMinute } = config.limits;
  if (requestsPerMinute === 0) return undefined;
  const rateLimiter = createRateLimiter(requestsPerMinute, clock.monotonic);
  if (redis) shareRequestCounts(redis, rateLimiter);
  return rateLimiter;
}
