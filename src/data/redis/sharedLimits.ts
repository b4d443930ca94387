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
import { decodeError, encodeError } from './errorRecord.ts';
import type { RedisConnection, RunScript } from './redisConnection.ts';
import { LIMIT_KEYS } from './redisKeys.ts';

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
const MAX_TURN_MS = 60_000;

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
    const hasBudget = creditsPerDay === undefined ? 0 : 1;
    const known = [spent?.day ?? -1, spent?.credits ?? 0];
    const args = [hasBudget, ...known, isFirst ? 1 : 0, HOLD_MS, today()];
    const [day, credits, error, ms] = await run('syncLimits', LIMIT_KEYS, args);
    if (hasBudget) spent = { day: Number(day), credits: Number(credits) };
    if (Number(ms) > 0) recordOpening(decodeError(String(error)), Number(ms));
    else if (String(error) === '' && openCircuit && clock.monotonic() >= openCircuit.until) recordClosing();
  });

  /** What this replica learned while Redis was down, or before Redis lost its data, holds for the others too. */
  async function reportOpenCircuit(run: RunScript): Promise<void> {
    if (!openCircuit || clock.monotonic() >= openCircuit.until) return;
    const ms = Math.ceil(openCircuit.until - clock.monotonic());
    const error = encodeError(openCircuit.error);
    await run('reportCall', LIMIT_KEYS, ['', 'refused', WINDOW_MS, error, ms, MAX_FAILURES, 0, 0]);
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
      const budget = [price, creditsPerDay ?? '', HOLD_MS, today()];
      // After the reservation the call may still have to wait for its turn in this replica.
      const turnMs = Math.min(Math.max(0, deadline() - clock.monotonic()), MAX_TURN_MS);
      const args = [token, qps, Math.ceil(turnMs) + attemptMs, WINDOW_MS, ...budget];
      const [verdict, first, second] = await redis.run('reserveCall', LIMIT_KEYS, args).catch(() => []);
      switch (String(verdict)) {
        case 'granted':
          spent = { day: Number(first), credits: Number(second) };
          return Number(first);
        case 'spent':
          throw budgetExhausted(Math.ceil(Number(first) / 1000));
        case 'open':
          recordOpening(decodeError(String(first)), Number(second));
          break;
        case 'wait':
          await waitFor(Number(first), deadline, toShedError);
          break;
        case 'held':
          await waitFor(Number(first), deadline, budgetUnknown);
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

  /** Reports the outcome of a call to all replicas. */
  async function report(token: string, outcome: CallOutcome, day: number, price: number): Promise<void> {
    const { word, error, ms } = outcome;
    const credits = creditsPerDay === undefined ? 0 : price;
    const args = [token, word, WINDOW_MS, error ? encodeError(error) : '', ms, MAX_FAILURES, credits, day];
    // When Redis went down meanwhile, at least this replica keeps to it.
    const withoutRedis = word === 'refused' ? 'opened' : '';
    const [change] = await redis.run('reportCall', LIMIT_KEYS, args).catch(() => [withoutRedis]);
    if (String(change) === 'opened') recordOpening(error, ms);
    if (String(change) === 'closed') recordClosing();
  }

  /** A call that Redis does not know of. This replica's own circuit breaker emits the events of such calls. */
  async function runUnreserved<Key, Value>(source: Source<Key, Value>, key: Key, call: Call): Promise<Value> {
    if (creditsPerDay !== undefined) throw budgetUnknown();
    try {
      return await source(key, call);
    } catch (error) {
      const { word, error: cause, ms } = toOutcome(error);
      if (word === 'refused') recordOpening(cause, ms, false);
      throw error;
    }
  }

  /** Makes a reserved call, which is cancelled when the circuit opens while it waits for a connection. */
  async function runReserved<Key, Value>(
    source: Source<Key, Value>,
    key: Key,
    call: Call,
    reportCall: (outcome: CallOutcome) => Promise<void>,
  ): Promise<Value> {
    const cancellable = toCancellable(call);
    cancels.add(cancellable.cancel);
    const onSent = (): void => {
      if (spent) onSpend?.(spent);
      void reportCall({ word: 'sent', ms: attemptMs });
      call.onSent();
    };
    try {
      const value = await source(key, { ...cancellable.call, onSent });
      void reportCall(ANSWERED);
      return value;
    } catch (error) {
      // All replicas know of a failure before the caller does.
      await reportCall(toOutcome(error));
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
      return runReserved(source, key, call, (outcome) => report(token, outcome, day, credits));
    },
    openCode: () =>
      openCircuit && clock.monotonic() < openCircuit.until ? openCircuit.error.code : undefined,
    creditsLeft: () => {
      const credits = spent && spent.day >= today() ? spent.credits : 0;
      return creditsPerDay === undefined ? undefined : Math.max(0, creditsPerDay - credits);
    },
  };
}

/** What a call means for later ones. */
interface CallOutcome {
  readonly word: 'unsent' | 'sent' | 'answered' | 'refused' | 'failed';
  /** The error that opens the circuit; of a failed call, when enough calls in a row have failed. */
  readonly error?: ApiError;
  /** For how long. */
  readonly ms: number;
}

const ANSWERED: CallOutcome = { word: 'answered', ms: 0 };

function toOutcome(error: unknown): CallOutcome {
  if (!wasSent(error)) return { word: 'unsent', ms: 0 };
  if (!(error instanceof ApiError)) return ANSWERED;
  const pause = toCallPause(error);
  if (pause) return { word: 'refused', error, ms: pause.seconds * 1000 };
  return isUpstreamFailure(error)
    ? { word: 'failed', error: toUnavailable(), ms: FAILURE_SECONDS * 1000 }
    : ANSWERED;
}
