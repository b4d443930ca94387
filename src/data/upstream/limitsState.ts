import type { ErrorCode } from '../../domain/errors.ts';

/** What stops calls at the moment, for readiness and metrics. */
export interface LimitsState {
  /** The codes of the errors that calls are rejected with because a circuit is open. */
  openCodes(): readonly ErrorCode[];
  /** Credits left of the day's budget; undefined without a budget. */
  creditsLeft(): number | undefined;
}
