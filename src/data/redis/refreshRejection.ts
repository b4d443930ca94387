import type { Clock } from '../../domain/clock.ts';
import type { ApiError } from '../../domain/errors.ts';

/** How long refreshes are rejected, without asking Redis, after a call was not made. */
const REJECT_REFRESH_MS = 100;

/** Rejects refreshes for a moment: during an outage not every read of stale data should ask Redis. */
interface RefreshRejection {
  /** The error to reject a refresh with, if there is one now. */
  current(): ApiError | undefined;
  /** Records the error of a call that was not made. */
  record(error: ApiError): void;
}

/** Creates it: no refresh is rejected yet. */
export function createRefreshRejection(clock: Clock): RefreshRejection {
  let last: { readonly error: ApiError; readonly until: number } | undefined;
  return {
    current: () => (last && clock.monotonic() < last.until ? last.error : undefined),
    record: (error) => {
      last = { error, until: clock.monotonic() + REJECT_REFRESH_MS };
    },
  };
}
