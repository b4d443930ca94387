import type { Redis } from 'ioredis';
import type { Config } from '../config/loadConfig.ts';
import { limitTime } from '../data/redis/limitTime.ts';
import { createRedisClient, toSlowMs } from '../data/redis/redisConnection.ts';
import { heartbeat } from '../data/redis/scripts/heartbeat.ts';
import { VALUES_VERSION } from '../data/redis/scripts/redisKeys.ts';
import { createRunScript } from '../data/redis/scripts/script.ts';
import type { Clock } from '../domain/clock.ts';
import { explainRedis } from './explainRedis.ts';
import type { Finding } from './finding.ts';

const PART = 'Redis';
const RESPONSE_MS = 2000;
const ATTEMPTS = 5;
/** How long the doctor counts as a replica. Its key expires after five times this period. */
const TTL_MS = 200;
const OLDEST = '6.2';

/**
 * Connects to Redis, runs a script as the server does, and measures the latency. Its only key expires after a second.
 */
export async function checkRedis(
  { url, prefix, timeoutMs }: NonNullable<Config['redis']>,
  clock: Clock,
): Promise<Finding> {
  const password = decodeURIComponent(url.password);
  const redis = createRedisClient(url, password);
  let failure: Error | undefined;
  redis.on('error', (error) => {
    failure ??= error;
  });
  try {
    await limitTime(redis.connect(), RESPONSE_MS);
    // ioredis does not reject when the password or the database is refused.
    if (failure) throw failure;
    // All keys are the doctor's own.
    const toRedisKey = (key: string): string => `${prefix}:${VALUES_VERSION}:doctor:${key}`;
    const ms = await measure(redis, toRedisKey('latency'), clock);
    const run = createRunScript(redis, { toRedisKey, now: clock.now });
    await limitTime(heartbeat(run, { replica: 'doctor', ttlMs: TTL_MS }), RESPONSE_MS);
    if (failure) throw failure;
    return judge(url, ms, toSlowMs(timeoutMs), await readVersion(redis));
  } catch (error) {
    return { part: PART, state: 'fix', ...explainRedis((failure ?? error) as Error, url, prefix) };
  } finally {
    redis.disconnect();
  }
}

/** The shortest of several round trips, in milliseconds. */
async function measure(redis: Redis, key: string, clock: Clock): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < ATTEMPTS; i++) {
    const startedAt = clock.monotonic();
    await limitTime(redis.mget(key), RESPONSE_MS);
    times.push(clock.monotonic() - startedAt);
  }
  return Math.min(...times);
}

/** Undefined when this user is not allowed to read it. */
async function readVersion(redis: Redis): Promise<string | undefined> {
  const info = await limitTime(redis.info('server'), RESPONSE_MS).catch(() => '');
  return /^redis_version:(\d+\.\d+\.\d+)/m.exec(info)?.[1];
}

function judge(url: URL, ms: number, slowMs: number, version: string | undefined): Finding {
  const found = `${url.host} responds in ${ms.toFixed(1)} ms${version ? `, version ${version}` : ''}`;
  if (ms > slowMs) {
    const advice = `Use a nearer Redis, or raise REDIS_TIMEOUT_MS: one that always takes more than ${slowMs} ms counts as down`;
    return { part: PART, state: 'fix', found, advice };
  }
  const isOld = version !== undefined && version.localeCompare(OLDEST, 'en', { numeric: true }) < 0;
  if (isOld) return { part: PART, state: 'fix', found, advice: `Use Redis ${OLDEST} or newer` };
  return { part: PART, state: 'ok', found: `${found}, and runs scripts` };
}
