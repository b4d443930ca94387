import type { Clock } from '../../domain/clock.ts';
import { ApiError } from '../../domain/errors.ts';
import type { PageSource } from '../../domain/page.ts';
import type { OnDataEvent } from '../events.ts';
import { watchSending } from './watchSending.ts';

const MIN_PAUSE_MS = 500;
const MAX_PAUSE_MS = 3000;

/** What a retry needs. */
export interface RetryOptions {
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly onEvent: OnDataEvent;
}

/**
 * Repeats a call once that was never answered, or that KeyAPI advises to repeat (`ApiError.repeatable`), after a
 * random pause of half a second to three that leaves at least as much time again before the deadline. Anything
 * else may have been billed, or would fail again.
 */
export function withRetry(source: PageSource, { clock, random, onEvent }: RetryOptions): PageSource {
  return async (key, options) => {
    try {
      return await source(key, options);
    } catch (error) {
      const longest = Math.min(MAX_PAUSE_MS, (options.deadline() - clock.monotonic()) / 2);
      if (!(error instanceof ApiError && error.repeatable) || longest < MIN_PAUSE_MS) throw error;
      const pauseMs = Math.round(MIN_PAUSE_MS + random() * (longest - MIN_PAUSE_MS));
      await clock.sleep(pauseMs);

      const onRequest = (): void => {
        options.onRequest();
        onEvent({ type: 'retry', chart: key.chart, page: key.number, code: error.code, pauseMs });
      };
      const { watched, isSent } = watchSending({ ...options, onRequest });
      // Where the second attempt was never made, the first one's error says more.
      return source(key, watched).catch((again: unknown) => {
        throw isSent() ? again : error;
      });
    }
  };
}
