import type { UpstreamCost } from './upstreamCost.ts';

/** One GraphQL operation, as the data layer sees it. */
export interface Operation {
  /** What it has cost so far. */
  readonly cost: UpstreamCost;
  /** When it stops waiting for pages and responds with what it has, on the monotonic clock. */
  readonly deadlineAt: number;
  /** Pages that may still be fetched for it. Retries do not count. */
  pagesLeft: number;
}
