import { createHash } from 'node:crypto';
import { sourceId } from '../config/sourceId.ts';
import { type ChangeFeed, createChangeFeed } from '../data/redis/changeFeed.ts';
import type { RedisConnection } from '../data/redis/redisConnection.ts';
import { VALUES_VERSION } from '../data/redis/scripts/redisKeys.ts';
import type { AppContext } from './appContext.ts';

/** The connection to Redis, and the feed of changes by other replicas. */
export interface Redis extends RedisConnection {
  readonly changeFeed: ChangeFeed;
}

/**
 * Creates the connection to Redis, which is not open yet; undefined without Redis. Demo data and each upstream have
 * separate keys.
 */
export async function createRedis({
  config,
  clock,
  onEvent,
}: Pick<AppContext, 'config' | 'clock' | 'onEvent'>): Promise<Redis | undefined> {
  if (!config.redis) return undefined;
  // Imported on demand: ioredis takes time to load.
  const { createRedisConnection } = await import('../data/redis/redisConnection.ts');
  const { url, prefix, timeoutMs } = config.redis;
  const source = config.keyapi.emulator
    ? 'emulator'
    : createHash('sha256').update(sourceId(config)).digest('hex').slice(0, 8);
  const connection = createRedisConnection({
    url,
    prefix: `${prefix}:${VALUES_VERSION}:${source}`,
    timeoutMs,
    clock,
    onEvent,
  });
  return { ...connection, changeFeed: createChangeFeed(connection) };
}
