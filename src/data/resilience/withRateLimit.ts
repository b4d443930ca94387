import type { Clock } from '../../domain/clock.ts';
import type { FetchOptions, PageKey, PageSource } from '../../domain/page.ts';
import type { OnDataEvent } from '../events.ts';
import { shed } from './shed.ts';

/** A second, and what calls may bunch up by on their way. */
const WINDOW_MS = 1050;

/** How often may be called. */
export interface RateLimitOptions {
  /** Calls in any second. */
  readonly qps: number;
  readonly clock: Clock;
  readonly onEvent: OnDataEvent;
}

/**
 * Lets at most `qps` calls through in any second (a sliding window on the monotonic clock); the others wait. One
 * that cannot come before its deadline is not made.
 *
 * @throws {ApiError} `UPSTREAM_UNAVAILABLE` for such a call.
 */
export function withRateLimit(source: PageSource, { qps, clock, onEvent }: RateLimitOptions): PageSource {
  /** When the latest calls were made, the oldest first. */
  const calls: number[] = [];

  async function takeTurn(key: PageKey, options: FetchOptions): Promise<void> {
    for (;;) {
      const now = clock.monotonic();
      const oldest = calls.length < qps ? undefined : calls[0];
      const turn = oldest === undefined ? now : Math.max(now, oldest + WINDOW_MS);
      if (turn >= options.deadline()) throw shed(key, onEvent);
      if (turn === now) {
        calls.push(now);
        if (calls.length > qps) calls.shift();
        return;
      }
      await clock.sleep(turn - now);
    }
  }

  return async (key, options) => {
    await takeTurn(key, options);
    return source(key, options);
  };
}
