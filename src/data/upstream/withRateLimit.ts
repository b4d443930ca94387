import type { Clock } from '../../domain/clock.ts';
import type { FetchOptions, PageKey, PageSource } from '../../domain/page.ts';
import type { OnDataEvent } from '../events.ts';
import { createChangeSignal } from './changeSignal.ts';
import { shed } from './shed.ts';
import { watchSending } from './watchSending.ts';

/** How long a call counts after its answer: a second, and what timers may be early by. */
export const WINDOW_MS = 1010;

/** How often may be called. */
export interface RateLimitOptions {
  /** Calls in any second; a fraction is one call in as many seconds as it takes. May change. */
  readonly qps: () => number;
  readonly clock: Clock;
  readonly onEvent: OnDataEvent;
}

interface Call {
  /** When it was answered, or failed; undefined while it is under way. */
  endedAt?: number;
}

/**
 * Makes at most `qps()` calls in any second (a sliding window on the monotonic clock); the others wait. One whose turn
 * would not come before its deadline is not made.
 *
 * A call counts until a second after it was answered: it may have arrived at any moment until then, on a connection
 * that was slow to open, say, and the next ones sooner.
 *
 * @throws {ApiError} `UPSTREAM_UNAVAILABLE` for such a call.
 */
export function withRateLimit(source: PageSource, { qps, clock, onEvent }: RateLimitOptions): PageSource {
  const calls = new Set<Call>();
  const ended = createChangeSignal();

  async function takeTurn(key: PageKey, options: FetchOptions): Promise<Call> {
    for (;;) {
      options.check();
      const now = clock.monotonic();
      const most = qps();
      const windowMs = WINDOW_MS * Math.max(1, 1 / most);
      for (const call of calls) {
        if (call.endedAt !== undefined && now >= call.endedAt + windowMs) calls.delete(call);
      }
      const isFree = calls.size < Math.max(1, Math.floor(most));
      const turn = isFree ? now : nextTurn(windowMs);
      if (now >= options.deadline() || (turn !== undefined && turn >= options.deadline())) {
        throw shed(key, onEvent);
      }
      if (isFree) {
        const call: Call = {};
        calls.add(call);
        return call;
      }
      await (turn === undefined ? ended.next() : clock.sleep(turn - now));
    }
  }

  /** When the first of the calls stops to count; undefined while all are under way. */
  function nextTurn(windowMs: number): number | undefined {
    const times = [...calls].flatMap(({ endedAt }) => (endedAt === undefined ? [] : [endedAt]));
    return times.length > 0 ? Math.min(...times) + windowMs : undefined;
  }

  return async (key, options) => {
    const call = await takeTurn(key, options);
    const { watched, isSent } = watchSending(options);
    try {
      return await source(key, watched);
    } finally {
      if (isSent()) call.endedAt = clock.monotonic();
      else calls.delete(call);
      ended.fire();
    }
  };
}
