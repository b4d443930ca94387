import type { Clock } from '../../domain/clock.ts';
import { ApiError, type ErrorCode, repeatError } from '../../domain/errors.ts';
import type { Call, Source } from '../../domain/source.ts';
import type { OnDataEvent } from '../events.ts';
import type { AccountLimit } from './accountLimit.ts';
import { type LimitScope, toCallPause } from './callPause.ts';
import { toCancellable } from './cancellableCall.ts';

/** Stops calls while none can succeed. */
export interface CircuitBreaker {
  /**
   * Wraps a source. Rejects while the circuit is open: with the error that opened it, or `UPSTREAM_UNAVAILABLE` after
   * failures.
   */
  readonly protect: AccountLimit;
  /** The code of the error that calls are rejected with; undefined while they are allowed. */
  openCode(): ErrorCode | undefined;
}

/** See `createCircuitBreaker`. */
interface CircuitBreakerOptions {
  readonly scope: LimitScope;
  readonly clock: Clock;
  readonly onEvent: OnDataEvent;
}

/** Errors that mean that upstream itself fails. */
const FAILURES: ReadonlySet<ErrorCode> = new Set([
  'UPSTREAM_ERROR',
  'UPSTREAM_TIMEOUT',
  'UPSTREAM_UNAVAILABLE',
]);
/** Failures in a row that open the circuit of an endpoint. */
export const MAX_FAILURES = 5;
/** For how long they open it. */
export const FAILURE_SECONDS = 30;

/** Why a circuit is open. */
export interface OpenCircuit {
  /** The error that calls are rejected with. */
  readonly error: ApiError;
  /** On the monotonic clock. */
  readonly until: number;
}

/**
 * Creates a circuit breaker. That of the account opens for a minute after a 401 or 402, and for as long as a 429 asks
 * for. That of an endpoint opens for 30 seconds after 5 failures in a row, and for a minute after a 403. Then one call
 * is made as a probe, while the others wait for its outcome: it closes the circuit, or opens it again. Calls of which no
 * request was sent change nothing.
 */
export function createCircuitBreaker({ scope, clock, onEvent }: CircuitBreakerOptions): CircuitBreaker {
  let openCircuit: OpenCircuit | undefined;
  let probe: Promise<unknown> | undefined;
  let failures = 0;
  /** Cancels the calls that are in progress; those that were sent go on. */
  const cancels = new Set<(reason: ApiError) => void>();

  function open(error: ApiError, seconds: number): void {
    const now = clock.monotonic();
    const until = now + seconds * 1000;
    if (openCircuit && openCircuit.until > until) return;
    // The other calls in flight may fail in the same way.
    const hasChanged = !openCircuit || openCircuit.error.code !== error.code || now >= openCircuit.until;
    openCircuit = { error, until };
    for (const cancel of cancels) cancel(toOpenError(openCircuit, clock));
    if (hasChanged) onEvent({ type: 'circuitOpened', code: error.code, seconds });
  }

  /**
   * @param probed The opening that the call probed. A call that was no probe may have been sent before the circuit
   * opened.
   */
  function recordResponse(probed: OpenCircuit | undefined): void {
    failures = 0;
    if (!probed || openCircuit !== probed) return;
    openCircuit = undefined;
    onEvent({ type: 'circuitClosed' });
  }

  function recordError(error: ApiError, probed: OpenCircuit | undefined): void {
    const pause = toCallPause(error);
    if (pause?.scope === scope) open(error, pause.seconds);
    else if (isUpstreamFailure(error)) recordFailure(probed);
    // A refused account says nothing about the endpoint.
    else if (pause?.scope !== 'account') recordResponse(probed);
  }

  function recordFailure(probed: OpenCircuit | undefined): void {
    failures++;
    const isTooMany = scope === 'endpoint' && failures >= MAX_FAILURES && !openCircuit;
    if (probed || isTooMany) open(toUnavailable(), FAILURE_SECONDS);
  }

  async function run<Key, Value>(
    source: Source<Key, Value>,
    key: Key,
    call: Call,
    probed?: OpenCircuit,
  ): Promise<Value> {
    const cancellable = toCancellable(call);
    cancels.add(cancellable.cancel);
    try {
      const value = await source(key, cancellable.call);
      recordResponse(probed);
      return value;
    } catch (error) {
      if (error instanceof ApiError && error.wasSent) recordError(error, probed);
      throw error;
    } finally {
      cancels.delete(cancellable.cancel);
    }
  }

  return {
    protect: (source) => async (key, call) => {
      while (openCircuit) {
        if (clock.monotonic() < openCircuit.until) throw toOpenError(openCircuit, clock);
        if (!probe) {
          const value = run(source, key, call, openCircuit);
          probe = value
            .catch(() => undefined)
            .finally(() => {
              probe = undefined;
            });
          return value;
        }
        await probe;
      }
      return run(source, key, call);
    },
    openCode: () =>
      openCircuit && clock.monotonic() < openCircuit.until ? openCircuit.error.code : undefined,
  };
}

/** Whether an error means that upstream itself fails. Other statuses do not: they show that it responds. */
export function isUpstreamFailure({ code, upstream }: ApiError): boolean {
  const isUnreadable =
    code === 'UPSTREAM_BAD_RESPONSE' && (!upstream || (upstream.status < 300 && !upstream.code));
  return FAILURES.has(code) || isUnreadable;
}

/** The error for calls that are stopped after failures. */
export function toUnavailable(): ApiError {
  return new ApiError('UPSTREAM_UNAVAILABLE', { retryAfterSeconds: FAILURE_SECONDS });
}

/** The error that opened the circuit, with the time that is left now. */
export function toOpenError({ error, until }: OpenCircuit, clock: Clock): ApiError {
  if (error.retryAfterSeconds === undefined) return repeatError(error);
  return repeatError(error, Math.max(1, Math.ceil((until - clock.monotonic()) / 1000)));
}
