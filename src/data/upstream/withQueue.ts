import { AsyncResource } from 'node:async_hooks';
import PQueue from 'p-queue';
import type { PageSource } from '../../domain/page.ts';
import type { OnDataEvent } from '../events.ts';
import { createShedError } from './shedError.ts';

/** See `withQueue`. */
interface QueueOptions {
  /** Fetches in flight. */
  readonly concurrency: number;
  /** Fetches that may wait; half as many when the fetch is a refresh. */
  readonly maxWaiting: number;
  readonly onEvent: OnDataEvent;
}

/**
 * Runs at most `concurrency` fetches at once. The others wait for their turn, operations before refreshes; until then
 * they cost nothing, and the deadline of their attempt has not started.
 *
 * @throws {ApiError} `UPSTREAM_UNAVAILABLE` when too many are waiting.
 */
export function withQueue(
  source: PageSource,
  { concurrency, maxWaiting, onEvent }: QueueOptions,
): PageSource {
  const queue = new PQueue({ concurrency });

  return async (key, options) => {
    const isFull = queue.size >= (options.background ? maxWaiting / 2 : maxWaiting);
    if (isFull) throw createShedError(key, onEvent);
    // The queue runs it in another operation's asynchronous context; its spans belong to the one that asked.
    const fetch = AsyncResource.bind(() => source(key, options));
    return queue.add(fetch, { priority: options.background ? 0 : 1 });
  };
}
