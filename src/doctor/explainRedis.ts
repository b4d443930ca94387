import type { RedisConfig } from '../config/redisConfig.ts';
import { RedisFailure } from '../data/redis/connection/openRedis.ts';
import { findTrouble } from '../data/redis/connection/redisTroubles.ts';
import { addressOf } from '../domain/hostAndPort.ts';
import { explainConnection, type Trouble } from './explainConnection.ts';

/** Explains why Redis cannot be used. */
export function explainRedis(error: unknown, redis: RedisConfig): Trouble {
  const { address = redis.addresses[0], cause } =
    error instanceof RedisFailure ? error : { address: undefined, cause: error as Error };
  const trouble = findTrouble(error, redis);
  if (trouble || !address) return trouble ?? explainSilence(cause, 'Redis');
  return (
    explainConnection(cause, { variable: 'REDIS_URL', ...address }) ??
    explainSilence(cause, addressOf(address))
  );
}

/** Explains an error that says only that no response has come. */
function explainSilence({ message }: Error, there: string): Trouble {
  if (/^no response within/.test(message)) {
    return {
      found: `${there}: it accepts the connection, but does not respond`,
      advice:
        'Check whether Redis hangs, whether this is a Redis at all, and whether it requires TLS (rediss)',
    };
  }
  if (/Connection is closed/.test(message)) {
    return {
      found: `${there}: it closes the connection at once`,
      advice:
        'Check whether REDIS_URL should use TLS (rediss) or not, and whether Redis has reached its limit of clients',
    };
  }
  // Its own message may repeat what was sent, the password included.
  return { found: `${there}: it cannot be used`, advice: 'Check the log of Redis' };
}
