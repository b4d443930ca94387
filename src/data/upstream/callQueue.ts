import { AsyncResource } from 'node:async_hooks';
import PQueue from 'p-queue';
import type { OnDataEvent } from '../events.ts';
import type { AccountLimit } from './accountLimit.ts';
import { createShedError } from './shedError.ts';
import { toPriority } from './turnOrder.ts';

/** See `createCallQueue`. */
interface CallQueueOptions {
  /** Calls in flight. */
  readonly concurrency: number;
  /** Calls that may wait before a call of the same priority; half as many when it is a refresh. */
  readonly maxWaiting: number;
  readonly onEvent: OnDataEvent;
}

/** The queue of calls. */
export interface CallQueue {
  readonly protect: AccountLimit;
  /** True while no call is in flight or waiting for its turn. */
  isIdle(): boolean;
}

/**
 * Creates the queue of calls: at most `concurrency` run at once. The others wait for their turn, operations before
 * refreshes, and among these by the priority of their endpoint; until then they cost nothing, and the deadline of their
 * attempt has not started. Rejects with `UPSTREAM_UNAVAILABLE` when too many are waiting.
 */
export function createCallQueue({ concurrency, maxWaiting, onEvent }: CallQueueOptions): CallQueue {
  const queue = new PQueue({ concurrency });
  const waiting = new Set<{ readonly priority: number }>();

  const protect: AccountLimit = (source, endpoint) => async (key, call) => {
    const place = { priority: toPriority(call, endpoint) };
    // Calls of a lower priority do not delay it.
    const ahead = [...waiting].filter(({ priority }) => priority >= place.priority).length;
    if (ahead >= (call.background ? maxWaiting / 2 : maxWaiting))
      throw createShedError(endpoint, key, onEvent);
    waiting.add(place);
    // The queue runs it in another operation's asynchronous context; its spans belong to the one that asked.
    const run = AsyncResource.bind(() => {
      waiting.delete(place);
      return source(key, call);
    });
    return queue.add(run, place);
  };

  return { protect, isIdle: () => queue.pending === 0 && queue.size === 0 };
}
