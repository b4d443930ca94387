import type { Clock } from '../../domain/clock.ts';
import type { FetchOptions, PageKey, PageSource } from '../../domain/page.ts';
import type { OnDataEvent } from '../events.ts';
import { createChangeSignal } from './changeSignal.ts';
import { createShedError } from './shedError.ts';
import { watchSending } from './watchSending.ts';

/** How long a call counts after its response: a second, and a margin for timers that fire early. */
export const WINDOW_MS = 1010;

/** See `withRateLimit`. */
interface RateLimitOptions {
  /** Calls in any second. Below 1: one call in 1/qps seconds. May change. */
  readonly qps: () => number;
  readonly clock: Clock;
  readonly onEvent: OnDataEvent;
}

interface Call {
  /** When it succeeded or failed; undefined while it is in flight. */
  endedAt?: number;
}

/**
 * Makes at most `qps()` calls in any second (a sliding window on the monotonic clock); the others wait.
 *
 * A call counts until a second after its response: it may have reached upstream at any moment before that, for example
 * on a connection that was slow to open.
 *
 * @throws {ApiError} `UPSTREAM_UNAVAILABLE` for a call whose turn would not come before its deadline.
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
        throw createShedError(key, onEvent);
      }
      if (isFree) {
        const call: Call = {};
        calls.add(call);
        return call;
      }
      await (turn === undefined ? ended.next() : clock.sleep(turn - now));
    }
  }

  /** When the first of the calls stops counting; undefined while all are in flight. */
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
      ended.notify();
    }
  };
}
