import type { Call } from '../../domain/source.ts';
import type { Origin } from '../../domain/upstreamCost.ts';
import type { CachedStats } from './statsStore.ts';

/** Numbers that an operation, or a refresh, needs. */
export interface StatsRequest {
  /** The videos whose numbers are needed: each is settled, whatever happens. */
  readonly itemIds: readonly string[];
  /**
   * Videos whose numbers may be bought along with them, those that are wanted most first: they fill the room of the last
   * batch.
   */
  readonly others: readonly string[];
  readonly call: StatsCall;
  /** Called with those of `others` that are being bought, before they are. */
  readonly onFill: (itemIds: readonly string[]) => void;
  /** Called for each video that is bought or needed, as soon as its numbers are stored, or known to be unavailable. */
  readonly onSettled: (itemId: string, settled: SettledStats) => void;
}

/** The call of whoever needs numbers. */
export interface StatsCall extends Call {
  /**
   * Called before a batch is bought.
   *
   * @throws {ApiError} When the operation may not spend any more.
   */
  readonly reserve: () => void;
}

/** The numbers of a video and how they were got, or why there are none. */
export type SettledStats = { readonly entry: CachedStats; readonly origin: Origin } | Error;

/** Gets numbers that are not cached, and stores them. Never rejects. */
export type FetchStats = (request: StatsRequest) => Promise<void>;
