import type { DestinationStream } from 'pino';
import { isColorSupported, prettyFactory } from 'pino-pretty';

/** Control characters as JSON has them. A terminal would execute them. */
const CONTROL = /(?<!\\)((?:\\\\)*)\\u00[01][0-9a-f]/gi;

/**
 * Creates a destination for logs that a person reads: a line of text for each event, in colour if the terminal has any.
 * Each line is written at once, so that none is lost when the process exits.
 */
export function createTerminalStream(): DestinationStream {
  const toText = prettyFactory({
    colorize: isColorSupported,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss',
    // The message names it.
    ignore: 'setting',
  });
  // The window was closed: nobody reads the log, and closing must not fail because of it.
  process.stdout.on('error', () => undefined);
  return { write: (line) => process.stdout.write(toText(line.replace(CONTROL, '$1\ufffd'))) };
}
