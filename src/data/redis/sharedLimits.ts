import { randomUUID } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import { ApiError, type ErrorCode, wasSent } from '../../domain/errors.ts';
import type { Call, Source } from '../../domain/source.ts';
import { toUtcDay } from '../../domain/utcDay.ts';
import type { OnDataEvent } from '../events.ts';
import type { AccountLimit } from '../upstream/accountLimit.ts';
import { toCallPause } from '../upstream/callPause.ts';
import { toCancellable } from '../upstream/cancellableCall.ts';
import {
  FAILURE_SECONDS,
  isUpstreamFailure,
  MAX_FAILURES,
  type OpenCircuit,
  toOpenError,
  toUnavailable,
} from '../upstream/circuitBreaker.ts';
import type { Spending } from '../upstream/creditBudget.ts';
import { WINDOW_MS } from '../upstream/rateLimit.ts';
import { createShedError } from '../upstream/shedError.ts';
import type { RedisConnection } from './redisConnection.ts';
import { openSharedCircuit } from './scripts/openSharedCircuit.ts';
import { type CallState, reportCall } from './scripts/reportCall.ts';
import { reserveCall } from './scripts/reserveCall.ts';
import type { RunScript } from './scripts/script.ts';
import { syncLimits } from './scripts/syncLimits.ts';

/** See `createSharedLimits`. */
export interface SharedLimitsOptions {
  readonly redis: RedisConnection;
  /** Calls in any second. */
  readonly qps: number;
  /** Credits a UTC day; undefined when there is no limit. */
  readonly creditsPerDay: number | undefined;
  /** What was spent before the process started. */
  readonly spent?: Spending | undefined;
  /** Receives what all replicas have spent, before each request of this one is sent. */
  readonly onSpend?: ((spent: Spending) => void) | undefined;
  /** Deadline of one attempt. */
  readonly attemptMs: number;
  readonly clock: Clock;
  readonly onEvent: OnDataEvent;
}

/** The limits that all replicas share. */
export interface SharedLimits {
  readonly protect: AccountLimit;
  /** The code of the error that calls are rejected with; undefined while they are allowed. */
  openCode(): ErrorCode | undefined;
  /** Credits left of the day's budget, as far as this replica knows; undefined without a budget. */
  creditsLeft(): number | undefined;
}

/** Longest pause before Redis is asked again. */
const WAIT_MS = 50;
/** How long nothing is spent after Redis has lost what was spent: by then each replica has reported what it knows. */
const HOLD_MS = 2000;
/** `retryAfterSeconds` while Redis is down. */
const RETRY_SECONDS = 5;
/** Bounds how long a call may wait between its reservation and its request. */
export const MAX_TURN_MS = 60_000;

/**
 * Creates the limits that all replicas share. Each call is reserved in Redis before it is made, so that all replicas
 * together keep to the rate limit and to the day's budget, and share one circuit breaker: a failing upstream, a refused
 * account or a 429 stops the calls of all. A call waits for the rate limit, and for another replica's probe.
 *
 * While Redis is down, calls are made without a reservation, unless there is a budget, which they could exceed, or the
 * circuit was open when last seen.
 *
 * Rejects with what opened the circuit, with `CREDIT_BUDGET_EXHAUSTED`, or with `UPSTREAM_UNAVAILABLE` when the call's
 * turn would not come in time.
 */
export function createSharedLimits(options: SharedLimitsOptions): SharedLimits {
  const { redis, qps, creditsPerDay, attemptMs, clock, onSpend, onEvent } = options;
  let spent: Spending | undefined = options.spent;
  let openCircuit: OpenCircuit | undefined;
  /** Cancels the calls that are in progress; those that were sent go on. */
  const cancels = new Set<(reason: ApiError) => void>();
  redis.onHeartbeat(async (run, isFirst) => {
    if (isFirst) await reportOpenCircuit(run);
    const hasBudget = creditsPerDay !== undefined;
    const limits = await syncLimits(run, {
      hasBudget,
      known: spent,
      isFirst,
      holdMs: HOLD_MS,
      today: today(),
    });
    if (hasBudget) spent = limits.spent;
    if (limits.circuit && limits.circuit.ms > 0) recordOpening(limits.circuit.error, limits.circuit.ms);
    else if (!limits.circuit && openCircuit && clock.monotonic() >= openCircuit.until) recordClosing();
  });

  /** What this replica learned while Redis was down, or before Redis lost its data, holds for the others too. */
  async function reportOpenCircuit(run: RunScript): Promise<void> {
    if (!openCircuit || clock.monotonic() >= openCircuit.until) return;
    const ms = Math.ceil(openCircuit.until - clock.monotonic());
    await openSharedCircuit(run, { error: openCircuit.error, ms });
  }

  function today(): number {
    return toUtcDay(clock.now());
  }

  /**
   * Reserves one call, waiting for its turn; returns the day whose budget pays for it. Undefined when Redis is down.
   */
  async function reserve(
    token: string,
    { signal, deadline }: Call,
    price: number,
    toShedError: () => ApiError,
  ): Promise<number | undefined> {
    for (;;) {
      signal?.throwIfAborted();
      throwIfOpen();
      // After the reservation the call may still have to wait for its turn in this replica.
      const turnMs = Math.min(Math.max(0, deadline() - clock.monotonic()), MAX_TURN_MS);
      const reservation = await reserveCall(redis.run, {
        token,
        callsPerSecond: qps,
        takesMs: Math.ceil(turnMs) + attemptMs,
        windowMs: WINDOW_MS,
        credits: price,
        creditsPerDay,
        holdMs: HOLD_MS,
        today: today(),
      }).catch(() => undefined);
      switch (reservation?.type) {
        case 'granted':
          spent = reservation.spent;
          return spent.day;
        case 'spent':
          throw budgetExhausted(Math.ceil(reservation.ms / 1000));
        case 'open':
          recordOpening(reservation.error, reservation.ms);
          break;
        case 'wait':
          await waitFor(reservation.ms, deadline, toShedError);
          break;
        case 'held':
          await waitFor(reservation.ms, deadline, budgetUnknown);
          break;
        default:
          return undefined;
      }
    }
  }

  /** Waits `ms`, but only a moment at a time; throws when the deadline comes first. */
  async function waitFor(ms: number, deadline: Call['deadline'], toError: () => ApiError): Promise<void> {
    const pauseMs = Math.min(ms, WAIT_MS);
    if (clock.monotonic() + pauseMs >= deadline()) throw toError();
    await clock.sleep(pauseMs);
  }

  function throwIfOpen(): void {
    if (openCircuit && clock.monotonic() < openCircuit.until) throw toOpenError(openCircuit, clock);
  }

  function recordOpening(error: ApiError = toUnavailable(), ms: number, isReported = true): void {
    const hasChanged =
      !openCircuit || clock.monotonic() >= openCircuit.until || openCircuit.error.code !== error.code;
    openCircuit = { error, until: clock.monotonic() + ms };
    for (const cancel of cancels) cancel(toOpenError(openCircuit, clock));
    if (hasChanged && isReported)
      onEvent({ type: 'circuitOpened', code: error.code, seconds: Math.ceil(ms / 1000) });
  }

  function recordClosing(): void {
    openCircuit = undefined;
    onEvent({ type: 'circuitClosed' });
  }

  function budgetExhausted(retryAfterSeconds: number): ApiError {
    onEvent({ type: 'budgetRefused', retryAfterSeconds });
    return new ApiError('CREDIT_BUDGET_EXHAUSTED', { retryAfterSeconds });
  }

  function budgetUnknown(): ApiError {
    onEvent({ type: 'budgetUnknown', retryAfterSeconds: RETRY_SECONDS });
    return new ApiError('CREDIT_BUDGET_EXHAUSTED', {
      message: 'This server cannot reserve credits at the moment (CREDIT_BUDGET_PER_DAY).',
      retryAfterSeconds: RETRY_SECONDS,
    });
  }

  /** Reports the state of a call to all replicas. */
  async function report(token: string, call: CallState, day: number, price: number): Promise<void> {
    const change = await reportCall(redis.run, {
      token,
      call,
      attemptMs,
      windowMs: WINDOW_MS,
      credits: creditsPerDay === undefined ? 0 : price,
      day,
      maxFailures: MAX_FAILURES,
      // When Redis went down meanwhile, at least this replica keeps to it.
    }).catch(() => (call.state === 'refused' ? 'opened' : undefined));
    if (change === 'opened' && 'error' in call) recordOpening(call.error, call.openMs);
    if (change === 'closed') recordClosing();
  }

  /** A call that Redis does not know of. This replica's own circuit breaker emits the events of such calls. */
  async function runUnreserved<Key, Value>(source: Source<Key, Value>, key: Key, call: Call): Promise<Value> {
    if (creditsPerDay !== undefined) throw budgetUnknown();
    try {
      return await source(key, call);
    } catch (error) {
      const state = toCallState(error);
      if (state.state === 'refused') recordOpening(state.error, state.openMs, false);
      throw error;
    }
  }

  /** Makes a reserved call, which is cancelled when the circuit opens while it waits for a connection. */
  async function runReserved<Key, Value>(
    source: Source<Key, Value>,
    key: Key,
    call: Call,
    reportState: (state: CallState) => Promise<void>,
  ): Promise<Value> {
    const cancellable = toCancellable(call);
    cancels.add(cancellable.cancel);
    const onSent = (): void => {
      if (spent) onSpend?.(spent);
      void reportState({ state: 'sent' });
      call.onSent();
    };
    try {
      const value = await source(key, { ...cancellable.call, onSent });
      void reportState({ state: 'answered' });
      return value;
    } catch (error) {
      // All replicas know of a failure before the caller does.
      await reportState(toCallState(error));
      throw error;
    } finally {
      cancels.delete(cancellable.cancel);
    }
  }

  return {
    protect: (source, endpoint) => async (key, call) => {
      const token = randomUUID();
      const { credits } = endpoint;
      const day = await reserve(token, call, credits, () => createShedError(endpoint, key, onEvent));
      if (day === undefined) return runUnreserved(source, key, call);
      return runReserved(source, key, call, (state) => report(token, state, day, credits));
    },
    openCode: () =>
      openCircuit && clock.monotonic() < openCircuit.until ? openCircuit.error.code : undefined,
    creditsLeft: () => {
      const credits = spent && spent.day >= today() ? spent.credits : 0;
      return creditsPerDay === undefined ? undefined : Math.max(0, creditsPerDay - credits);
    },
  };
}

/** The state of a call that has failed. */
function toCallState(error: unknown): CallState {
  if (!wasSent(error)) return { state: 'unsent' };
  if (!(error instanceof ApiError)) return { state: 'answered' };
  const pause = toCallPause(error);
  if (pause) return { state: 'refused', error, openMs: pause.seconds * 1000 };
  return isUpstreamFailure(error)
    ? { state: 'failed', error: toUnavailable(), openMs: FAILURE_SECONDS * 1000 }
    : { state: 'answered' };
}
