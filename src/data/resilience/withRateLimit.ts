import type { Clock } from '../../domain/clock.ts';
import type { FetchOptions, PageKey, PageSource } from '../../domain/page.ts';
import type { OnDataEvent } from '../events.ts';
import { shed } from './shed.ts';

/** A second, and what requests may bunch up by on their way. */
const WINDOW_MS = 1050;

/** How often may be called. */
export interface RateLimitOptions {
  /** Requests in any second. */
  readonly qps: number;
  readonly clock: Clock;
  readonly onEvent: OnDataEvent;
}

interface Call {
  /** When its request left; undefined while it has yet to, on a connection that is still being opened, say. */
  sentAt?: number;
}

/**
 * Lets at most `qps` requests leave in any second (a sliding window on the monotonic clock); the others wait. One
 * that cannot leave before its deadline is not made.
 *
 * @throws {ApiError} `UPSTREAM_UNAVAILABLE` for such a call.
 */
export function withRateLimit(source: PageSource, { qps, clock, onEvent }: RateLimitOptions): PageSource {
  /** The calls that count: those that left less than a window ago, and those that have yet to. */
  const calls = new Set<Call>();
  let changed = createSignal();

  async function takeTurn(key: PageKey, options: FetchOptions): Promise<Call> {
    for (;;) {
      options.check();
      const now = clock.monotonic();
      for (const call of calls)
        if (call.sentAt !== undefined && now >= call.sentAt + WINDOW_MS) calls.delete(call);
      const isFree = calls.size < qps;
      const turn = isFree ? now : nextTurn();
      if (now >= options.deadline() || (turn !== undefined && turn >= options.deadline()))
        throw shed(key, onEvent);
      if (isFree) {
        const call: Call = {};
        calls.add(call);
        return call;
      }
      await (turn === undefined ? changed.promise : clock.sleep(turn - now));
    }
  }

  /** When the first of the calls stops to count; undefined when that cannot be told yet. */
  function nextTurn(): number | undefined {
    const sent = [...calls].flatMap(({ sentAt }) => (sentAt === undefined ? [] : [sentAt]));
    return sent.length > 0 ? Math.min(...sent) + WINDOW_MS : undefined;
  }

  function noteChange(): void {
    changed.resolve();
    changed = createSignal();
  }

  return async (key, options) => {
    const call = await takeTurn(key, options);
    const onRequest = (): void => {
      call.sentAt = clock.monotonic();
      noteChange();
      options.onRequest();
    };
    try {
      return await source(key, { ...options, onRequest });
    } finally {
      if (call.sentAt === undefined) {
        calls.delete(call);
        noteChange();
      }
    }
  };
}

function createSignal(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}
