import { AsyncResource } from 'node:async_hooks';
import PQueue from 'p-queue';
import type { PageSource } from '../../domain/page.ts';
import type { OnDataEvent } from '../events.ts';
import { shed } from './shed.ts';

/** How much may go on at once. */
export interface QueueOptions {
  /** Fetches under way. */
  readonly concurrency: number;
  /** Fetches that may wait; of refreshes, half as many. */
  readonly maxWaiting: number;
  readonly onEvent: OnDataEvent;
}

/**
 * Lets at most `concurrency` fetches through at once. The others wait for their turn, operations before
 * refreshes, and neither cost anything nor use up an attempt's deadline before it comes.
 *
 * @throws {ApiError} `UPSTREAM_UNAVAILABLE` when too many wait already.
 */
export function withQueue(
  source: PageSource,
  { concurrency, maxWaiting, onEvent }: QueueOptions,
): PageSource {
  const queue = new PQueue({ concurrency });

  return async (key, options) => {
    const isFull = queue.size >= (options.background ? maxWaiting / 2 : maxWaiting);
    if (isFull) throw shed(key, onEvent);
    // In whatever call it has its turn: what follows belongs to the operation that asked.
    const fetch = AsyncResource.bind(() => source(key, options));
    return queue.add(fetch, { priority: options.background ? 0 : 1 });
  };
}
