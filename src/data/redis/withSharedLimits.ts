import { randomUUID } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import { ApiError } from '../../domain/errors.ts';
import type { FetchOptions, Page, PageKey, PageSource } from '../../domain/page.ts';
import { CREDITS_PER_REQUEST } from '../../domain/upstreamCost.ts';
import { toUtcDay } from '../../domain/utcDay.ts';
import type { OnDataEvent } from '../events.ts';
import { callPauseSeconds } from '../upstream/callPause.ts';
import type { Spending } from '../upstream/creditBudget.ts';
import { createShedError } from '../upstream/shedError.ts';
import { watchSending } from '../upstream/watchSending.ts';
import {
  FAILURE_SECONDS,
  isUpstreamFailure,
  MAX_FAILURES,
  type OpenCircuit,
  toOpenError,
} from '../upstream/withCircuitBreaker.ts';
import { WINDOW_MS } from '../upstream/withRateLimit.ts';
import type { RedisConnection } from './redisConnection.ts';
import { openSharedCircuit } from './scripts/openSharedCircuit.ts';
import { type CallState, reportCall } from './scripts/reportCall.ts';
import { reserveCall } from './scripts/reserveCall.ts';
import type { RunScript } from './scripts/script.ts';
import { syncLimits } from './scripts/syncLimits.ts';

/** See `withSharedLimits`. */
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

/** Longest pause before Redis is asked again. */
const WAIT_MS = 50;
/** How long nothing is spent after Redis has lost what was spent: by then each replica has reported what it knows. */
const HOLD_MS = 2000;
/** `retryAfterSeconds` while Redis is down. */
const RETRY_SECONDS = 5;
/** Bounds how long a call may wait between its reservation and its request. */
export const MAX_TURN_MS = 60_000;

/**
 * Reserves each call in Redis before it is made, so that all replicas together keep to the rate limit and to the day's
 * budget, and share one circuit breaker: a failing upstream, a refused account or a 429 stops the calls of all. Waits
 * for the rate limit, and for another replica's probe.
 *
 * While Redis is down, calls are made without a reservation, unless there is a budget, which they could exceed, or the
 * circuit was open when last seen.
 *
 * @throws {ApiError} What opened the circuit; `CREDIT_BUDGET_EXHAUSTED`; `UPSTREAM_UNAVAILABLE` when its turn would not
 * come in time.
 */
export function withSharedLimits(source: PageSource, options: SharedLimitsOptions): PageSource {
  const { redis, qps, creditsPerDay, attemptMs, clock, onSpend, onEvent } = options;
  let spent: Spending | undefined = options.spent;
  let openCircuit: OpenCircuit | undefined;
  if (spent && creditsPerDay !== undefined) onEvent({ type: 'budgetSpent', ...spent });
  redis.onHeartbeat(async (run, isFirst) => {
    if (isFirst) await reportOpenCircuit(run);
    const hasBudget = creditsPerDay !== undefined;
    const options = { hasBudget, known: spent, isFirst, holdMs: HOLD_MS, today: today() };
    const limits = await syncLimits(run, options);
    if (hasBudget) recordSpending(limits.spent);
    if (limits.circuit && limits.circuit.ms > 0) recordOpening(limits.circuit.error, limits.circuit.ms);
    else if (!limits.circuit && openCircuit && clock.monotonic() >= openCircuit.until) recordClosing();
  });

  /** What this replica learned while Redis was down, or before Redis lost its data, holds for the others too. */
  async function reportOpenCircuit(run: RunScript): Promise<void> {
    if (!openCircuit || clock.monotonic() >= openCircuit.until) return;
    const ms = Math.ceil(openCircuit.until - clock.monotonic());
    await openSharedCircuit(run, { error: openCircuit.error, ms });
  }

  function recordSpending(spending: Spending): void {
    const hasChanged = spending.day !== spent?.day || spending.credits !== spent.credits;
    spent = spending;
    if (hasChanged && creditsPerDay !== undefined) onEvent({ type: 'budgetSpent', ...spending });
  }

  function today(): number {
    return toUtcDay(clock.now());
  }

  /**
   * Reserves one call, waiting for its turn; returns the day whose budget pays for it. Undefined when Redis is down.
   */
  async function reserve(
    token: string,
    key: PageKey,
    fetchOptions: FetchOptions,
  ): Promise<number | undefined> {
    for (;;) {
      fetchOptions.check();
      throwIfOpen();
      // After the reservation the call may still have to wait for its turn in this replica.
      const turnMs = Math.min(Math.max(0, fetchOptions.deadline() - clock.monotonic()), MAX_TURN_MS);
      const reservation = await reserveCall(redis.run, {
        token,
        callsPerSecond: qps,
        takesMs: Math.ceil(turnMs) + attemptMs,
        windowMs: WINDOW_MS,
        credits: CREDITS_PER_REQUEST,
        creditsPerDay,
        holdMs: HOLD_MS,
        today: today(),
      }).catch(() => undefined);
      switch (reservation?.type) {
        case 'granted':
          recordSpending(reservation.spent);
          return reservation.spent.day;
        case 'spent':
          throw budgetExhausted(Math.ceil(reservation.ms / 1000));
        case 'open':
          recordOpening(reservation.error, reservation.ms);
          break;
        case 'wait':
          await waitFor(reservation.ms, fetchOptions, () => createShedError(key, onEvent));
          break;
        case 'held':
          await waitFor(reservation.ms, fetchOptions, budgetUnknown);
          break;
        default:
          return undefined;
      }
    }
  }

  /** Waits `ms`, but only a moment at a time; throws when the deadline comes first. */
  async function waitFor(ms: number, { deadline }: FetchOptions, toError: () => ApiError): Promise<void> {
    const pauseMs = Math.min(ms, WAIT_MS);
    if (clock.monotonic() + pauseMs >= deadline()) throw toError();
    await clock.sleep(pauseMs);
  }

  function throwIfOpen(): void {
    if (openCircuit && clock.monotonic() < openCircuit.until) throw toOpenError(openCircuit, clock);
  }

  function recordOpening(error: ApiError = upstreamUnavailable(), ms: number, isReported = true): void {
    const hasChanged =
      !openCircuit || clock.monotonic() >= openCircuit.until || openCircuit.error.code !== error.code;
    openCircuit = { error, until: clock.monotonic() + ms };
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

  /** Reports the outcome of a call to all replicas. */
  async function report(token: string, call: CallState, day: number): Promise<void> {
    // When Redis went down meanwhile, at least this replica keeps to a refusal.
    const change = await reportCall(redis.run, {
      token,
      call,
      attemptMs,
      windowMs: WINDOW_MS,
      credits: creditsPerDay === undefined ? 0 : CREDITS_PER_REQUEST,
      day,
      maxFailures: MAX_FAILURES,
    }).catch(() => (call.state === 'refused' ? 'opened' : undefined));
    if (change === 'opened' && 'error' in call) recordOpening(call.error, call.openMs);
    if (change === 'closed') recordClosing();
  }

  /** A call that Redis does not know of. This replica's own circuit breaker emits the events of such calls. */
  async function fetchUnreserved(key: PageKey, fetchOptions: FetchOptions): Promise<Page> {
    if (creditsPerDay !== undefined) throw budgetUnknown();
    try {
      return await source(key, fetchOptions);
    } catch (error) {
      const call = toCallState(error, true);
      if (call.state === 'refused') recordOpening(call.error, call.openMs, false);
      throw error;
    }
  }

  return async (key, fetchOptions): Promise<Page> => {
    const token = randomUUID();
    const day = await reserve(token, key, fetchOptions);
    if (day === undefined) return fetchUnreserved(key, fetchOptions);
    const check = (): void => {
      fetchOptions.check();
      // The circuit may have opened while this call waited for a connection.
      throwIfOpen();
    };
    const onRequest = (): void => {
      if (spent) onSpend?.(spent);
      void report(token, { state: 'sent' }, day);
      fetchOptions.onRequest();
    };
    const { watched, isSent } = watchSending({ ...fetchOptions, check, onRequest });
    try {
      const page = await source(key, watched);
      void report(token, { state: 'answered' }, day);
      return page;
    } catch (error) {
      // All replicas know of a failure before the caller does.
      await report(token, toCallState(error, isSent()), day);
      throw error;
    }
  };
}

/** The state of a call that has failed. */
function toCallState(error: unknown, isSent: boolean): CallState {
  if (!isSent) return { state: 'unsent' };
  if (!(error instanceof ApiError)) return { state: 'answered' };
  const seconds = callPauseSeconds(error);
  if (seconds !== undefined) return { state: 'refused', error, openMs: seconds * 1000 };
  return isUpstreamFailure(error)
    ? { state: 'failed', error: upstreamUnavailable(), openMs: FAILURE_SECONDS * 1000 }
    : { state: 'answered' };
}

function upstreamUnavailable(): ApiError {
  return new ApiError('UPSTREAM_UNAVAILABLE', { retryAfterSeconds: FAILURE_SECONDS });
}
