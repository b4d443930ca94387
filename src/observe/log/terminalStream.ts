import type { DestinationStream } from 'pino';
import { isColorSupported, prettyFactory } from 'pino-pretty';

/** Fields that say nothing to a person who watches the log, or repeat the message. */
const IGNORED = ['requestId', 'traceId', 'spanId', 'setting'];

/**
 * Creates a destination for logs that a person reads: a line of text for each event, in colour if the terminal has any.
 * The lines are written at once, so that none is lost when the process exits.
 */
export function createTerminalStream(): DestinationStream {
  const toText = prettyFactory({
    colorize: isColorSupported,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss',
    ignore: IGNORED.join(),
  });
  return { write: (line) => process.stdout.write(toText(line)) };
}
