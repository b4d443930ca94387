import type { Clock } from '../../domain/clock.ts';
import { ApiError, type ErrorCode } from '../../domain/errors.ts';
import type { FetchOptions, Page, PageKey, PageSource } from '../../domain/page.ts';
import type { OnDataEvent } from '../events.ts';
import { secondsRefused } from './accountRefusal.ts';
import { watchSending } from './watchSending.ts';

/** What a circuit breaker needs. */
export interface CircuitBreakerOptions {
  readonly clock: Clock;
  readonly onEvent: OnDataEvent;
}

/** Failures that say that upstream itself is unwell. */
const FAILURES: ReadonlySet<ErrorCode> = new Set([
  'UPSTREAM_ERROR',
  'UPSTREAM_TIMEOUT',
  'UPSTREAM_UNAVAILABLE',
]);
/** Failures in a row that hold calls back, and for how long. */
export const MAX_FAILURES = 5;
export const FAILURE_SECONDS = 30;

/** Why calls are held back. */
export interface Opening {
  /** What calls are refused with. */
  readonly error: ApiError;
  /** On the monotonic clock. */
  readonly until: number;
}

/**
 * Makes no call while none can succeed: for 30 seconds after 5 failures in a row, for a minute after the account
 * was refused (401, 402, 403), and for as long as a 429 asks for. Then one call goes ahead as a probe while the
 * others wait for what becomes of it: it closes the circuit, or opens it again.
 *
 * What says nothing of upstream, because no request was sent, changes nothing.
 *
 * @throws {ApiError} While it is open: what opened it, or `UPSTREAM_UNAVAILABLE` after failures.
 */
export function withCircuitBreaker(
  source: PageSource,
  { clock, onEvent }: CircuitBreakerOptions,
): PageSource {
  let opening: Opening | undefined;
  let probe: Promise<unknown> | undefined;
  let failures = 0;

  function open(error: ApiError, seconds: number): void {
    const now = clock.monotonic();
    const until = now + seconds * 1000;
    if (opening && opening.until > until) return;
    // Calls that were under way may all fail alike.
    const isNews = !opening || opening.error.code !== error.code || now >= opening.until;
    opening = { error, until };
    if (isNews) onEvent({ type: 'circuitOpened', code: error.code, seconds });
  }

  /** @param probed What the call was the probe of: an answer to any other says nothing of now. */
  function noteSuccess(probed: Opening | undefined): void {
    failures = 0;
    if (!probed || opening !== probed) return;
    opening = undefined;
    onEvent({ type: 'circuitClosed' });
  }

  function noteFailure(error: ApiError, probed: Opening | undefined): void {
    const seconds = secondsRefused(error);
    if (seconds !== undefined) open(error, seconds);
    else if (!isFailure(error)) noteSuccess(probed);
    else {
      failures++;
      if (probed || (failures >= MAX_FAILURES && !opening)) {
        const unavailable = new ApiError('UPSTREAM_UNAVAILABLE', { retryAfterSeconds: FAILURE_SECONDS });
        open(unavailable, FAILURE_SECONDS);
      }
    }
  }

  async function call(key: PageKey, options: FetchOptions, probed?: Opening): Promise<Page> {
    const check = (): void => {
      options.check();
      // It may have opened while this call waited for its turn.
      if (opening && opening !== probed) throw toRefusal(opening, clock);
    };
    const { watched, isSent } = watchSending({ ...options, check });
    try {
      const page = await source(key, watched);
      noteSuccess(probed);
      return page;
    } catch (error) {
      if (isSent() && error instanceof ApiError) noteFailure(error, probed);
      throw error;
    }
  }

  return async (key, options) => {
    while (opening) {
      if (clock.monotonic() < opening.until) throw toRefusal(opening, clock);
      if (!probe) {
        const page = call(key, options, opening);
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

/** Whether an error says that upstream itself is unwell. An answer with another status does not: it is there and speaks. */
export function isFailure({ code, upstream }: ApiError): boolean {
  const isUnreadable =
    code === 'UPSTREAM_BAD_RESPONSE' && (!upstream || (upstream.status < 300 && !upstream.code));
  return FAILURES.has(code) || isUnreadable;
}

/** The error that opened the circuit; a pause that was asked for is shorter by now. */
export function toRefusal({ error, until }: Opening, clock: Clock): ApiError {
  if (error.retryAfterSeconds === undefined) return error;
  const { code, message, upstream } = error;
  const retryAfterSeconds = Math.max(1, Math.ceil((until - clock.monotonic()) / 1000));
  return new ApiError(code, { message, upstream, retryAfterSeconds });
}
