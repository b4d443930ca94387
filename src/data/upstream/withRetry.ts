import type { Clock } from '../../domain/clock.ts';
import { ApiError } from '../../domain/errors.ts';
import type { PageSource } from '../../domain/page.ts';
import type { OnDataEvent } from '../events.ts';
import { watchSending } from './watchSending.ts';

const MIN_PAUSE_MS = 500;
const MAX_PAUSE_MS = 3000;

/** See `withRetry`. */
interface RetryOptions {
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly onEvent: OnDataEvent;
}

/**
 * Retries a call once, after a random pause, when it got no response or KeyAPI advises a retry
 * (`ApiError.allowsSecondAttempt`). Any other call may have been billed, or would fail again. The pause is 0.5 to 3
 * seconds, and at most half of the time that is left before the deadline; when that is less than half a second, there
 * is no retry.
 */
export function withRetry(source: PageSource, { clock, random, onEvent }: RetryOptions): PageSource {
  return async (key, options) => {
    try {
      return await source(key, options);
    } catch (error) {
      const longest = Math.min(MAX_PAUSE_MS, (options.deadline() - clock.monotonic()) / 2);
      if (!(error instanceof ApiError && error.allowsSecondAttempt) || longest < MIN_PAUSE_MS) throw error;
      const pauseMs = Math.round(MIN_PAUSE_MS + random() * (longest - MIN_PAUSE_MS));
      await clock.sleep(pauseMs);

      const onRequest = (): void => {
        options.onRequest();
        onEvent({ type: 'retry', chart: key.chart, page: key.number, code: error.code, pauseMs });
      };
      const { watched, isSent } = watchSending({ ...options, onRequest });
      // When the second attempt was not sent, the first one's error says more.
      return source(key, watched).catch((again: unknown) => {
        throw isSent() ? again : error;
      });
    }
  };
}
