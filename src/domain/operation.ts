import { ApiError } from './errors.ts';
import type { UpstreamCost } from './upstreamCost.ts';

/** One GraphQL operation, as the data layer sees it. */
export interface Operation {
  /** What it has cost so far. */
  readonly cost: UpstreamCost;
  /** When it stops waiting for data and responds with what it has, on the monotonic clock. */
  readonly deadlineAt: number;
  /** Credits that may still be spent on it. Retries do not count. */
  creditsLeft: number;
}

/**
 * Deducts the price of a request from the credits that the operation may spend. The limit is needed because its worst
 * case assumes full pages, and charts as long as they claim.
 *
 * @throws {ApiError} `OPERATION_TOO_EXPENSIVE`.
 */
export function reserve(operation: Operation, credits: number): void {
  if (operation.creditsLeft < credits) {
    throw new ApiError('OPERATION_TOO_EXPENSIVE', {
      message:
        'This operation has reached its limit of credits (MAX_CREDITS_PER_OPERATION), because it needs more pages ' +
        'or numbers than expected. What it has fetched is cached: request less at once.',
    });
  }
  operation.creditsLeft -= credits;
}

/**
 * Adds a request that was sent to the cost of its operation, unless the operation has responded: a request after its
 * deadline, for which others still wait, is not part of its cost.
 *
 * @param now On the monotonic clock.
 */
export function charge({ cost, deadlineAt }: Operation, credits: number, now: number): void {
  if (now >= deadlineAt) return;
  cost.requests++;
  cost.credits += credits;
}
