import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { BaseLogger } from 'pino';

/** See `installShutdownHandlers`. */
interface EndProcessOptions {
  readonly log: BaseLogger;
  /** Finishes what is in flight. */
  readonly close: () => Promise<void>;
  /** How long `close` may take, in milliseconds. */
  readonly closeMs: number;
}

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const;
/** One Ctrl-C under `npm start` sends two signals within milliseconds, from the terminal and from npm. */
const SECOND_SIGNAL_MS = 500;

/**
 * Ends the process gracefully: after a signal with exit code 0, after an uncaught error with 1, in both cases when
 * `close` is done. A second signal at least half a second later ends it at once, with 1; further errors do not.
 */
export function installShutdownHandlers({ log, close, closeMs }: EndProcessOptions): void {
  let isClosing = false;
  let acceptsSecondSignal = false;
  let exitCode = 0;

  async function end(): Promise<void> {
    isClosing = true;
    void waitForSecondSignal();
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

  async function waitForSecondSignal(): Promise<void> {
    await sleep(SECOND_SIGNAL_MS);
    // Timers run first: a signal that arrived while the process was busy is handled before this.
    await nextTurn();
    acceptsSecondSignal = true;
  }

  function exitAtOnce(reason: string): never {
    log.error(`${reason}: requests in flight are lost`);
    process.exit(1);
  }

  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (acceptsSecondSignal) exitAtOnce(`A second ${signal}`);
      if (isClosing) return;
      log.info({ signal }, 'Closing');
      void end();
    });
  }
  // Also emitted for unhandled rejections.
  process.on('uncaughtException', (err, origin) => {
    log.fatal({ err, origin }, 'Unexpected error: shutting down');
    exitCode = 1;
    if (!isClosing) void end();
  });
}
