import type { Clock } from '../../domain/clock.ts';
import { ApiError, type ErrorCode } from '../../domain/errors.ts';
import type { FetchOptions, Page, PageKey, PageSource } from '../../domain/page.ts';
import type { OnDataEvent } from '../events.ts';
import { callPauseSeconds } from './callPause.ts';
import { watchSending } from './watchSending.ts';

/** See `withCircuitBreaker`. */
interface CircuitBreakerOptions {
  readonly clock: Clock;
  readonly onEvent: OnDataEvent;
}

/** Errors that mean that upstream itself fails. */
const FAILURES: ReadonlySet<ErrorCode> = new Set([
  'UPSTREAM_ERROR',
  'UPSTREAM_TIMEOUT',
  'UPSTREAM_UNAVAILABLE',
]);
/** Failures in a row that open the circuit. */
export const MAX_FAILURES = 5;
/** For how long they open it. */
export const FAILURE_SECONDS = 30;

/** Why the circuit is open. */
export interface OpenCircuit {
  /** The error that calls are rejected with. */
  readonly error: ApiError;
  /** On the monotonic clock. */
  readonly until: number;
}

/**
 * Rejects calls while none can succeed: for 30 seconds after 5 failures in a row, for a minute after the account was
 * refused (401, 402, 403), and for as long as a 429 asks for. Then one call is made as a probe, while the others wait
 * for its outcome: it closes the circuit, or opens it again. Calls of which no request was sent change nothing.
 *
 * @throws {ApiError} While it is open: the error that opened it, or `UPSTREAM_UNAVAILABLE` after failures.
 */
export function withCircuitBreaker(
  source: PageSource,
  { clock, onEvent }: CircuitBreakerOptions,
): PageSource {
  let openCircuit: OpenCircuit | undefined;
  let probe: Promise<unknown> | undefined;
  let failures = 0;

  function open(error: ApiError, seconds: number): void {
    const now = clock.monotonic();
    const until = now + seconds * 1000;
    if (openCircuit && openCircuit.until > until) return;
    // The other calls in flight may fail in the same way.
    const hasChanged = !openCircuit || openCircuit.error.code !== error.code || now >= openCircuit.until;
    openCircuit = { error, until };
    if (hasChanged) onEvent({ type: 'circuitOpened', code: error.code, seconds });
  }

  /**
   * @param probed The opening that the call probed. A call that was no probe may have been sent before the circuit
   * opened.
   */
  function recordSuccess(probed: OpenCircuit | undefined): void {
    failures = 0;
    if (!probed || openCircuit !== probed) return;
    openCircuit = undefined;
    onEvent({ type: 'circuitClosed' });
  }

  function recordFailure(error: ApiError, probed: OpenCircuit | undefined): void {
    const seconds = callPauseSeconds(error);
    if (seconds !== undefined) open(error, seconds);
    else if (!isUpstreamFailure(error)) recordSuccess(probed);
    else {
      failures++;
      if (probed || (failures >= MAX_FAILURES && !openCircuit)) {
        const unavailable = new ApiError('UPSTREAM_UNAVAILABLE', { retryAfterSeconds: FAILURE_SECONDS });
        open(unavailable, FAILURE_SECONDS);
      }
    }
  }

  async function call(key: PageKey, options: FetchOptions, probed?: OpenCircuit): Promise<Page> {
    const check = (): void => {
      options.check();
      // The circuit may have opened while this call waited for its turn.
      if (openCircuit && openCircuit !== probed) throw toOpenError(openCircuit, clock);
    };
    const { watched, isSent } = watchSending({ ...options, check });
    try {
      const page = await source(key, watched);
      recordSuccess(probed);
      return page;
    } catch (error) {
      if (isSent() && error instanceof ApiError) recordFailure(error, probed);
      throw error;
    }
  }

  return async (key, options) => {
    while (openCircuit) {
      if (clock.monotonic() < openCircuit.until) throw toOpenError(openCircuit, clock);
      if (!probe) {
        const page = call(key, options, openCircuit);
        probe = page
          .catch(() => undefined)
          .finally(() => {
            probe = undefined;
          });
        return page;
      }
      await probe;
    }
    return call(key, options);
  };
}

/** Whether an error means that upstream itself fails. Other statuses do not: they show that it responds. */
export function isUpstreamFailure({ code, upstream }: ApiError): boolean {
  const isUnreadable =
    code === 'UPSTREAM_BAD_RESPONSE' && (!upstream || (upstream.status < 300 && !upstream.code));
  return FAILURES.has(code) || isUnreadable;
}

/** The error that opened the circuit, with the time that is left now. */
export function toOpenError({ error, until }: OpenCircuit, clock: Clock): ApiError {
  if (error.retryAfterSeconds === undefined) return error;
  const { code, message, upstream } = error;
  const retryAfterSeconds = Math.max(1, Math.ceil((until - clock.monotonic()) / 1000));
  return new ApiError(code, { message, upstream, retryAfterSeconds });
}
