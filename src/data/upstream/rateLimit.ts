import type { Clock } from '../../domain/clock.ts';
import { type ApiError, wasSent } from '../../domain/errors.ts';
import type { Call } from '../../domain/source.ts';
import type { OnDataEvent } from '../events.ts';
import type { AccountLimit } from './accountLimit.ts';
import { createChangeSignal } from './changeSignal.ts';
import { createShedError } from './shedError.ts';
import { createTurnOrder, type Place, toPriority } from './turnOrder.ts';

/** How long a call counts after its response: a second, and a margin for timers that fire early. */
export const WINDOW_MS = 1010;

/** See `createRateLimit`. */
interface RateLimitOptions {
  /** Calls in any second. Below 1: one call in 1/qps seconds. May change. */
  readonly qps: () => number;
  readonly clock: Clock;
  readonly onEvent: OnDataEvent;
}

interface Turn {
  /** When its call succeeded or failed; undefined while it is in flight. */
  endedAt?: number;
}

/**
 * Creates the limit of calls in any second: at most `qps()` (a sliding window on the monotonic clock); the others wait.
 * Rejects with `UPSTREAM_UNAVAILABLE` a call whose turn would not come before its deadline. Of the calls that wait, those
 * of the highest priority go first.
 *
 * A call counts until a second after its response: it may have reached upstream at any moment before that, for example
 * on a connection that was slow to open.
 */
export function createRateLimit({ qps, clock, onEvent }: RateLimitOptions): AccountLimit {
  const turns = new Set<Turn>();
  const ended = createChangeSignal();
  const order = createTurnOrder();

  async function takeTurn(
    { signal, deadline }: Call,
    place: Place,
    toShedError: () => ApiError,
  ): Promise<Turn> {
    for (;;) {
      signal?.throwIfAborted();
      const now = clock.monotonic();
      const most = qps();
      const windowMs = WINDOW_MS * Math.max(1, 1 / most);
      for (const turn of turns) {
        if (turn.endedAt !== undefined && now >= turn.endedAt + windowMs) turns.delete(turn);
      }
      const isFree = turns.size < Math.max(1, Math.floor(most));
      const nextAt = isFree ? now : nextTurn(windowMs);
      if (now >= deadline() || (nextAt !== undefined && nextAt >= deadline())) throw toShedError();
      if (isFree && place.isFirst()) {
        const turn: Turn = {};
        turns.add(turn);
        return turn;
      }
      // The calls before this one wake up at the same time, and leave: it does not wait for long.
      if (isFree) await place.changed();
      else await (nextAt === undefined ? ended.next() : clock.sleep(nextAt - now));
    }
  }

  /** When the first of the calls stops counting; undefined while all are in flight. */
  function nextTurn(windowMs: number): number | undefined {
    const times = [...turns].flatMap(({ endedAt }) => (endedAt === undefined ? [] : [endedAt]));
    return times.length > 0 ? Math.min(...times) + windowMs : undefined;
  }

  return (source, endpoint) => async (key, call) => {
    const place = order.enter(toPriority(call, endpoint));
    const toShedError = (): ApiError => createShedError(endpoint, key, onEvent);
    const turn = await takeTurn(call, place, toShedError).finally(place.leave);
    try {
      return await source(key, call);
    } catch (error) {
      if (!wasSent(error)) turns.delete(turn);
      throw error;
    } finally {
      turn.endedAt = clock.monotonic();
      ended.notify();
    }
  };
}
