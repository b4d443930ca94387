import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { BaseLogger } from 'pino';

/** What ends with the process. */
export interface EndProcessOptions {
  readonly log: BaseLogger;
  /** Finishes what is under way. */
  readonly close: () => Promise<void>;
  /** How long that may take, in milliseconds. */
  readonly closeMs: number;
}

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const;
/** One Ctrl-C under `npm start` comes twice within milliseconds, from the terminal and from npm; a hand is slower. */
const SECOND_SIGNAL_MS = 500;

/**
 * Ends the process in order: on a signal with exit code 0, on an error that nobody caught with 1, both once `close` is
 * done. A second signal, half a second later or more, ends it at once, with 1; further errors do not.
 */
export function endProcessInOrder({ log, close, closeMs }: EndProcessOptions): void {
  let isClosing = false;
  let isPressing = false;
  let exitCode = 0;

  async function end(): Promise<void> {
    isClosing = true;
    void noteTime();
    setTimeout(() => exitAtOnce(`Closing took more than ${closeMs} ms`), closeMs);
    try {
      await close();
      log.info('Closed');
    } catch (err) {
      log.error({ err }, 'Closing failed');
      exitCode = 1;
    }
    process.exit(exitCode);
  }

  async function noteTime(): Promise<void> {
    await sleep(SECOND_SIGNAL_MS);
    // Timers come first: a signal that has waited for a busy process is heard before this is.
    await nextTurn();
    isPressing = true;
  }

  function exitAtOnce(reason: string): never {
    log.error(`${reason}: what is in flight is lost`);
    process.exit(1);
  }

  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (isPressing) exitAtOnce(`A second ${signal}`);
      if (isClosing) return;
      log.info({ signal }, 'Closing');
      void end();
    });
  }
  // A promise that is rejected without a handler comes here too.
  process.on('uncaughtException', (err, origin) => {
    log.fatal({ err, origin }, 'Unexpected error: closing');
    exitCode = 1;
    if (!isClosing) void end();
  });
}
