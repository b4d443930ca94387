import type { DestinationStream, Logger } from 'pino';
import type { Config } from '../config/loadConfig.ts';
import { createLog } from '../observe/log/createLog.ts';

/** The program's logger, which redacts the configured secrets. */
export function createAppLog({ logLevel, secrets }: Config, to?: DestinationStream): Logger {
  return createLog({ level: logLevel, secrets }, to);
}
