import type { Clock } from '../../domain/clock.ts';
import type { KeyFields } from '../../domain/endpoint.ts';
import { ApiError, createEmptyResponseError } from '../../domain/errors.ts';
import type { Call, Source } from '../../domain/source.ts';
import { type BatchStats, type StatsBatch, statsEndpoint } from '../../domain/videoStats.ts';
import type { OnDataEvent } from '../events.ts';
import type { NegativeCache } from '../upstream/negativeCache.ts';
import { MAX_REFUSED_MS } from '../upstream/negativeTtl.ts';
import type { CachedStats, StatsStore } from './statsStore.ts';

/** See `createBuyStats`. */
interface BuyStatsOptions {
  readonly source: Source<StatsBatch, BatchStats>;
  readonly store: StatsStore;
  /** By video. */
  readonly failures: NegativeCache;
  readonly clock: Clock;
  readonly ttlMs: number;
  readonly onEvent: OnDataEvent;
}

/** Buys the numbers of a batch and stores them. Returns for each video its numbers, or the error. */
export type BuyStats = (batch: StatsBatch, call: Call) => Promise<ReadonlyMap<string, CachedStats | Error>>;

/**
 * Creates the function that buys numbers.
 *
 * - A batch that KeyAPI refuses (400) is split in two, and each half is requested again: one video that it does not accept
 *   must not hide the others. A video that is refused alone is unknown for 10 minutes.
 * - When KeyAPI suddenly knows none of the videos, its source may have dried up: that is a failure. Cached numbers
 * stay, and all are requested again after a minute, twice as long each time, up to their time to live.
 */
export function createBuyStats(options: BuyStatsOptions): BuyStats {
  const { source, store, failures, clock, ttlMs, onEvent } = options;

  function add(entry: CachedStats): CachedStats {
    failures.delete(entry.itemId);
    return store.add(entry);
  }

  /**
   * Costs credits: the caller needs these numbers, and they are neither cached nor in flight.
   *
   * @param isPart Whether it is a part of a batch that was refused, and so a retry.
   */
  async function buyBatch(batch: StatsBatch, call: Call, isPart: boolean): ReturnType<BuyStats> {
    try {
      const bought = await source(batch, isPart ? withRetryEvent(batch, call) : call);
      if (hasDriedUp(bought)) return failAll(batch);
      const freshUntil = clock.monotonic() + ttlMs;
      return new Map(
        [...bought].map(([itemId, stats]) => [itemId, add({ itemId, stats, freshUntil, isRefused: false })]),
      );
    } catch (thrown) {
      const error = thrown as Error;
      if (error instanceof ApiError && error.code === 'BAD_USER_INPUT') return split(batch, call);
      if (error instanceof ApiError) for (const itemId of batch) failures.add(itemId, error);
      return new Map(batch.map((itemId) => [itemId, error]));
    }
  }

  /** True for a batch without any numbers although some of its videos had some. */
  function hasDriedUp(bought: BatchStats): boolean {
    const isEmpty = [...bought.values()].every((stats) => stats === null);
    return isEmpty && [...bought.keys()].some((itemId) => store.peek(itemId)?.stats);
  }

  function failAll(batch: StatsBatch): ReadonlyMap<string, ApiError> {
    onEvent({ type: 'emptyBatch', ...labelsOf(batch) });
    const error = createEmptyResponseError(
      'The data provider sent no numbers for videos that had numbers before.',
      'The response has no numbers, although numbers of some of these videos are cached',
    );
    for (const itemId of batch) failures.add(itemId, error);
    return new Map(batch.map((itemId) => [itemId, error]));
  }

  async function split(batch: StatsBatch, call: Call): ReturnType<BuyStats> {
    const [first = '', ...others] = batch;
    if (others.length === 0) {
      const freshUntil = clock.monotonic() + MAX_REFUSED_MS;
      return new Map([[first, add({ itemId: first, stats: null, freshUntil, isRefused: true })]]);
    }
    const middle = Math.ceil(batch.length / 2);
    const halves = [batch.slice(0, middle), batch.slice(middle)];
    const bought = await Promise.all(halves.map((half) => buyBatch(half, call, true)));
    return new Map(bought.flatMap((outcomes) => [...outcomes]));
  }

  function withRetryEvent(batch: StatsBatch, call: Call): Call {
    const onSent = (): void => {
      call.onSent();
      onEvent({ type: 'retry', ...labelsOf(batch), code: 'BAD_USER_INPUT', pauseMs: 0 });
    };
    return { ...call, onSent };
  }

  return (batch, call) => buyBatch(batch, call, false);
}

function labelsOf(batch: StatsBatch): { readonly endpoint: string; readonly key: KeyFields } {
  return { endpoint: statsEndpoint.name, key: statsEndpoint.describe(batch) };
}
