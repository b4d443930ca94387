import type { UpstreamCost } from './upstreamCost.ts';

/** One GraphQL operation, as far as those who work for it need to know it. */
export interface Operation {
  /** What it cost so far. */
  readonly cost: UpstreamCost;
  /** The moment, on the monotonic clock, when it stops waiting for pages and answers with what it has. */
  readonly deadlineAt: number;
  /** Pages that may be fetched for it still, each for one request. A retry does not count. */
  pagesLeft: number;
}
