import { createHash } from 'node:crypto';
import { ConfigError } from '../config/configError.ts';
import { sourceId } from '../config/sourceId.ts';
import { type ChangeFeed, createChangeFeed } from '../data/redis/changeFeed.ts';
import type { RedisConnection } from '../data/redis/connection/redisConnection.ts';
import { readTlsFiles, TlsFileError } from '../data/redis/connection/tlsFiles.ts';
import { toKeyName } from '../data/redis/scripts/redisKeys.ts';
import type { TlsFiles } from '../domain/redisServer.ts';
import type { AppContext } from './appContext.ts';

/** The connection to Redis, and the feed of changes by other replicas. */
export interface Redis extends RedisConnection {
  readonly changeFeed: ChangeFeed;
}

/**
 * Creates the connection to Redis, which is not open yet; undefined without Redis. Demo data and each upstream have
 * separate keys.
 *
 * @throws {ConfigError} When a file for TLS cannot be read.
 */
export async function createRedis({
  config,
  clock,
  onEvent,
}: Pick<AppContext, 'config' | 'clock' | 'onEvent'>): Promise<Redis | undefined> {
  const { redis: server } = config;
  if (!server) return undefined;
  if (server.tls) checkTlsFiles(server.tls);
  // Imported on demand: ioredis takes time to load.
  const { createRedisConnection } = await import('../data/redis/connection/redisConnection.ts');
  const { prefix, timeoutMs } = server;
  const source = config.keyapi.emulator
    ? 'emulator'
    : createHash('sha256').update(sourceId(config)).digest('hex').slice(0, 8);
  const toRedisKey = (key: string): string => toKeyName(key, { prefix, source });
  const connection = createRedisConnection({ server, toRedisKey, timeoutMs, clock, onEvent });
  return { ...connection, changeFeed: createChangeFeed(connection) };
}

/** The server starts without Redis, but not with a setting that is wrong. */
function checkTlsFiles(files: TlsFiles): void {
  try {
    readTlsFiles(files);
  } catch (error) {
    if (!(error instanceof TlsFileError)) throw error;
    throw new ConfigError([{ setting: error.setting, text: `expected a PEM file: ${error.message}` }]);
  }
}
