import type { DestinationStream, Logger } from 'pino';
import type { Config } from '../config/loadConfig.ts';
import { createLog } from '../observe/log/createLog.ts';

/** The program's logger, which redacts the configured secrets. */
export function createAppLog({ logLevel, keyapi, apiKeys, redis }: Config, to?: DestinationStream): Logger {
  const { password = '' } = redis?.url ?? {};
  const redisSecrets = [password, decodeURIComponent(password)];
  const secrets = [keyapi.token, ...(apiKeys ?? []).map(({ key }) => key), ...redisSecrets].filter(
    (text) => text !== undefined,
  );
  return createLog({ level: logLevel, secrets }, to);
}
