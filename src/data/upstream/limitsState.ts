import type { ErrorCode } from '../../domain/errors.ts';

/** What stops calls at the moment, for readiness and metrics. */
export interface LimitsState {
  openCircuits(): readonly OpenCircuit[];
  /** Credits left of the day's budget; undefined without a budget. */
  creditsLeft(): number | undefined;
}

/** A circuit that stops calls. */
export interface OpenCircuit {
  /** Name of the endpoint; undefined when the calls to all endpoints are stopped. */
  readonly endpoint: string | undefined;
  /** The code of the error that calls are rejected with. */
  readonly code: ErrorCode;
}
