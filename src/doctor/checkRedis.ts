import type { Redis } from 'ioredis';
import type { Config } from '../config/loadConfig.ts';
import { limitTime } from '../data/redis/limitTime.ts';
import { createRedisClient, toSlowMs } from '../data/redis/redisConnection.ts';
import { VALUES_VERSION } from '../data/redis/scripts.ts';
import type { Clock } from '../domain/clock.ts';
import { explainRedis } from './explainRedis.ts';
import type { Finding } from './finding.ts';

const PART = 'Redis';
const ANSWER_MS = 2000;
const ATTEMPTS = 5;
/** The script keeps a key five times as long as its replica counts. */
const KEY_MS = 1000;
const OLDEST = '6.2';

/** Connects to Redis, runs a script as the server does, and sees how far it is. Its one key lives for a second. */
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
    await limitTime(redis.connect(), ANSWER_MS);
    // ioredis goes on when the password, or the database, is refused.
    if (failure) throw failure;
    const key = `${prefix}:${VALUES_VERSION}:doctor`;
    const ms = await measure(redis, key, clock);
    await runScript(redis, key, clock);
    if (failure) throw failure;
    return judge(url, ms, toSlowMs(timeoutMs), await readVersion(redis));
  } catch (error) {
    return { part: PART, state: 'fix', ...explainRedis((failure ?? error) as Error, url, prefix) };
  } finally {
    redis.disconnect();
  }
}

/** How long the quickest of some answers took, in milliseconds. */
async function measure(redis: Redis, key: string, clock: Clock): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < ATTEMPTS; i++) {
    const startedAt = clock.monotonic();
    await limitTime(redis.mget(key), ANSWER_MS);
    times.push(clock.monotonic() - startedAt);
  }
  return Math.min(...times);
}

/** Runs the script by which replicas tell of themselves, on a key of the doctor's own. */
async function runScript(redis: Redis, key: string, clock: Clock): Promise<void> {
  // ioredis adds a method for each script.
  const methods = redis as unknown as Record<string, (...args: (string | number)[]) => Promise<unknown>>;
  const reply = methods.heartbeat?.call(redis, 1, key, clock.now().toFixed(), 'doctor', KEY_MS / 5);
  await limitTime(Promise.resolve(reply), ANSWER_MS);
}

/** Undefined where this user may not ask for it. */
async function readVersion(redis: Redis): Promise<string | undefined> {
  const info = await limitTime(redis.info('server'), ANSWER_MS).catch(() => '');
  return /^redis_version:(\d+\.\d+\.\d+)/m.exec(info)?.[1];
}

function judge(url: URL, ms: number, slowMs: number, version: string | undefined): Finding {
  const found = `${url.host} answers in ${ms.toFixed(1)} ms${version ? `, version ${version}` : ''}`;
  if (ms > slowMs) {
    const advice = `Have it nearer, or raise REDIS_TIMEOUT_MS: what always takes more than ${slowMs} ms counts as down`;
    return { part: PART, state: 'fix', found, advice };
  }
  const isOld = version !== undefined && version.localeCompare(OLDEST, 'en', { numeric: true }) < 0;
  if (isOld) return { part: PART, state: 'fix', found, advice: `Take Redis ${OLDEST} or newer` };
  return { part: PART, state: 'ok', found: `${found}, and runs scripts` };
}
