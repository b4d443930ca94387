import type { Clock } from '../../domain/clock.ts';
import type { Endpoint } from '../../domain/endpoint.ts';
import { ApiError, wasSent } from '../../domain/errors.ts';
import type { Source } from '../../domain/source.ts';
import type { OnDataEvent } from '../events.ts';

const MIN_PAUSE_MS = 500;
const MAX_PAUSE_MS = 3000;
/** Timers may fire early: the pause that upstream asks for must be over. */
const MARGIN_MS = 50;

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
 * seconds, at least what upstream asks for, and at most half of the time that is left before the deadline; when these
 * contradict each other, there is no retry.
 */
export function withRetry<Key, Value>(
  source: Source<Key, Value>,
  endpoint: Endpoint<Key>,
  { clock, random, onEvent }: RetryOptions,
): Source<Key, Value> {
  return async (key, call) => {
    try {
      return await source(key, call);
    } catch (error) {
      const longest = Math.min(MAX_PAUSE_MS, (call.deadline() - clock.monotonic()) / 2);
      if (!(error instanceof ApiError && error.allowsSecondAttempt)) throw error;
      const shortest = toShortestPause(error);
      if (longest < shortest) throw error;
      const { code } = error;
      const pauseMs = Math.round(shortest + random() * (longest - shortest));
      await clock.sleep(pauseMs);

      const onSent = (): void => {
        call.onSent();
        onEvent({ type: 'retry', endpoint: endpoint.name, key: endpoint.describe(key), code, pauseMs });
      };
      // If the second attempt was not sent, the error of the first one is more informative.
      return source(key, { ...call, onSent }).catch((again: unknown) => {
        throw wasSent(again) ? again : error;
      });
    }
  };
}

function toShortestPause({ retryAfterSeconds }: ApiError): number {
  return retryAfterSeconds === undefined ? MIN_PAUSE_MS : retryAfterSeconds * 1000 + MARGIN_MS;
}
