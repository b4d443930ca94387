import type { StatsBatch } from '../../domain/videoStats.ts';
import type { BuyStats } from './buyStats.ts';
import type { FetchStats, StatsRequest } from './fetchStats.ts';
import { toBatches } from './statsBatches.ts';
import type { StatsStore } from './statsStore.ts';

/** Creates the function that fetches numbers for a process without Redis: it buys all that are needed, in batches. */
export function createUnsharedFetch(buy: BuyStats, store: StatsStore): FetchStats {
  return async (request) => {
    const isRefused = (itemId: string): boolean => store.isRefused(itemId);
    const { batches, filled } = toBatches(request.itemIds, request.others, isRefused);
    request.onFill(filled);
    await Promise.all(batches.map((batch) => buyBatch(batch, request, buy)));
  };
}

/** Buys a batch on behalf of a request, and settles its videos. */
export async function buyBatch(
  batch: StatsBatch,
  { call, onSettled }: Pick<StatsRequest, 'call' | 'onSettled'>,
  buy: BuyStats,
): Promise<void> {
  try {
    call.reserve();
    for (const [itemId, outcome] of await buy(batch, call)) {
      onSettled(itemId, outcome instanceof Error ? outcome : { entry: outcome, origin: 'fetched' });
    }
  } catch (error) {
    for (const itemId of batch) onSettled(itemId, error as Error);
  }
}
