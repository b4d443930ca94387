import type { RedisConfig } from '../config/redisConfig.ts';
import { limitTime } from '../data/redis/connection/limitTime.ts';
import { openRedis, type RedisInfo } from '../data/redis/connection/openRedis.ts';
import type { RedisClient } from '../data/redis/connection/redisClient.ts';
import { toSlowMs } from '../data/redis/connection/redisConnection.ts';
import { CLUSTER_ADVICE } from '../data/redis/connection/redisTroubles.ts';
import { heartbeat } from '../data/redis/scripts/heartbeat.ts';
import { toKeyName } from '../data/redis/scripts/redisKeys.ts';
import { createRunScript } from '../data/redis/scripts/script.ts';
import type { Clock } from '../domain/clock.ts';
import { addressOf } from '../domain/hostAndPort.ts';
import { explainRedis } from './explainRedis.ts';
import type { Finding } from './finding.ts';

const PART = 'Redis';
const RESPONSE_MS = 2000;
const ATTEMPTS = 5;
/** How long the doctor counts as a replica. Its key expires after five times this period. */
const TTL_MS = 200;
const OLDEST = '6.2';
const INFO_ADVICE =
  'Allow this user INFO (ACL SETUSER name +info), which says which Redis is the primary. With CREDIT_BUDGET_PER_DAY the ' +
  'server needs it: a new primary may lack the last credits that were spent';

/**
 * Connects to Redis, runs a script as the server does, and measures the latency. Its only key expires after a second.
 */
export async function checkRedis(redis: RedisConfig, clock: Clock): Promise<Finding> {
  let client: RedisClient | undefined;
  try {
    // All keys are the doctor's own.
    const toRedisKey = (key: string): string => toKeyName(key, { prefix: redis.prefix, source: 'doctor' });
    const keys = ['latency', 'slot'].map(toRedisKey);
    const opened = await openRedis(redis, { timeoutMs: RESPONSE_MS, keys });
    client = opened.client;
    const ms = await measure(client, keys, clock);
    const run = createRunScript(() => client, { toRedisKey, now: clock.now });
    await limitTime(heartbeat(run, { replica: 'doctor', ttlMs: TTL_MS }), RESPONSE_MS);
    return judge(redis, ms, opened.info);
  } catch (error) {
    return { part: PART, state: 'fix', ...explainRedis(error, redis) };
  } finally {
    client?.disconnect();
  }
}

/** The shortest of several round trips, in milliseconds. */
async function measure(client: RedisClient, keys: readonly string[], clock: Clock): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < ATTEMPTS; i++) {
    const startedAt = clock.monotonic();
    await limitTime(client.mget(...keys), RESPONSE_MS);
    times.push(clock.monotonic() - startedAt);
  }
  return Math.min(...times);
}

function judge({ mode, addresses, timeoutMs }: RedisConfig, ms: number, info: RedisInfo): Finding {
  const slowMs = toSlowMs(timeoutMs);
  const version = info.version ? `, version ${info.version}` : '';
  const kind = mode === 'single' ? '' : ` (${mode})`;
  const found = `${addresses.map(addressOf).join(',')}${kind} responds in ${ms.toFixed(1)} ms${version}`;
  const fix = (advice: string): Finding => ({ part: PART, state: 'fix', found, advice });
  if (mode === 'single' && info.mode === 'cluster')
    return { ...fix(CLUSTER_ADVICE), found: `${found}, and is a node of a Redis Cluster` };
  if (ms > slowMs) {
    return fix(
      `Use a nearer Redis, or raise REDIS_TIMEOUT_MS: one that always takes more than ${slowMs} ms counts as down`,
    );
  }
  const isOld = info.version !== undefined && info.version.localeCompare(OLDEST, 'en', { numeric: true }) < 0;
  if (isOld) return fix(`Use Redis ${OLDEST} or newer`);
  const ok = `${found}, and runs scripts`;
  if (info.runId === undefined) return { part: PART, state: 'note', found: ok, advice: INFO_ADVICE };
  return { part: PART, state: 'ok', found: ok };
}
