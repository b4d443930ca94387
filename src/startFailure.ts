import type { DestinationStream } from 'pino';
import { ConfigError, toLine } from './config/configError.ts';
import { createLog } from './observe/log/createLog.ts';

/**
 * Logs why the server does not start: a line for each problem of the settings, or the error. Also with
 * `LOG_LEVEL=silent`, and before there is a configuration.
 */
export function logStartFailure(error: unknown, secrets: readonly string[], to: DestinationStream): void {
  const log = createLog({ level: 'fatal', secrets }, to);
  if (error instanceof ConfigError) {
    for (const problem of error.problems) log.fatal({ setting: problem.setting }, toLine(problem));
  } else {
    log.fatal({ err: error }, 'The server cannot start');
  }
}
