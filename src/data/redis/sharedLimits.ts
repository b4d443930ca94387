import { randomUUID } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import type { Endpoint } from '../../domain/endpoint.ts';
import { ApiError } from '../../domain/errors.ts';
import type { Call, Source } from '../../domain/source.ts';
import { toUtcDay } from '../../domain/utcDay.ts';
import type { OnDataEvent } from '../events.ts';
import type { AccountLimit } from '../upstream/accountLimit.ts';
import { createBudgetError } from '../upstream/budgetError.ts';
import { toCallPause } from '../upstream/callPause.ts';
import { type Circuit, createCircuit, FAILURE_SECONDS, toUnavailable } from '../upstream/circuit.ts';
import { isRequestedPause, isUpstreamFailure, MAX_FAILURES } from '../upstream/circuitBreaker.ts';
import type { Spending } from '../upstream/creditBudget.ts';
import type { LimitsState } from '../upstream/limitsState.ts';
import { WINDOW_MS } from '../upstream/rateLimit.ts';
import { createShedError } from '../upstream/shedError.ts';
import { createTurnOrder, toPriority } from '../upstream/turnOrder.ts';
import type { RedisConnection } from './connection/redisConnection.ts';
import { openSharedCircuit } from './scripts/openSharedCircuit.ts';
import { ACCOUNT_CIRCUIT_KEY, keyOfEndpointCircuit } from './scripts/redisKeys.ts';
import { type CallState, type CircuitChange, reportCall } from './scripts/reportCall.ts';
import { type Reservation, reserveCall } from './scripts/reserveCall.ts';
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
export interface SharedLimits extends LimitsState {
  readonly protect: AccountLimit;
}

/** Longest pause before Redis is asked again. */
const WAIT_MS = 50;
/**
 * How long no credits are spent after Redis has lost the record of the spending: in this time each replica reports what
 * it knows.
 */
const HOLD_MS = 2000;
/** `retryAfterSeconds` while Redis is down. */
const RETRY_SECONDS = 5;
/** Bounds how long a call may wait between its reservation and its request. */
export const MAX_TURN_MS = 60_000;

/**
 * Creates the limits that all replicas share. Each call is reserved in Redis before it is made, so that all replicas
 * together keep to the rate limit and to the day's budget, and share their circuits: a refused account or a 429 stops
 * the calls of all, a failing endpoint those to it. A call waits for the rate limit, and for another replica's probe. Of
 * the calls of one replica that wait for the rate limit, those of the highest priority go first.
 *
 * While Redis is down, calls are made without a reservation, unless there is a budget, which they could exceed, or a
 * circuit was open when last seen.
 *
 * Rejects with what opened the circuit, with `CREDIT_BUDGET_EXHAUSTED`, or with `UPSTREAM_UNAVAILABLE` when the call's
 * turn would not come in time.
 */
export function createSharedLimits(options: SharedLimitsOptions): SharedLimits {
  const { redis, qps, creditsPerDay, attemptMs, clock, onSpend, onEvent } = options;
  let spent: Spending | undefined = options.spent;
  const account = createCircuit({ clock, onEvent });
  const order = createTurnOrder();
  /** What this replica knows of each circuit, by its key in Redis. */
  const circuits = new Map([[ACCOUNT_CIRCUIT_KEY, account]]);
  redis.onHeartbeat(async (run, isFirst) => {
    const known = [...circuits];
    if (isFirst) for (const [key, circuit] of known) await reportIfOpen(run, key, circuit);
    const limits = await syncLimits(run, {
      hasBudget: creditsPerDay !== undefined,
      known: spent,
      isFirst,
      holdMs: HOLD_MS,
      today: today(),
      circuits: known.map(([key]) => key),
    });
    if (creditsPerDay !== undefined) spent = limits.spent;
    for (const [index, [, circuit]] of known.entries()) {
      const shared = limits.circuits[index];
      if (shared && shared.ms > 0) circuit.stopCalls(shared.error, shared.ms);
      else if (!shared && !circuit.current()) circuit.close();
    }
  });

  /** Circuits that opened here while Redis was down, or before Redis lost its data, apply to the other replicas too. */
  async function reportIfOpen(run: RunScript, key: string, circuit: Circuit): Promise<void> {
    const open = circuit.current();
    if (!open) return;
    const ms = Math.ceil(open.until - clock.monotonic());
    await openSharedCircuit(run, { key, error: open.error, ms, isPause: isRequestedPause(open) });
  }

  function today(): number {
    return toUtcDay(clock.now());
  }

  /** Waits `ms`, but only a moment at a time; throws when the deadline comes first. */
  async function waitFor(ms: number, deadline: Call['deadline'], toError: () => ApiError): Promise<void> {
    const pauseMs = Math.min(ms, WAIT_MS);
    if (clock.monotonic() + pauseMs >= deadline()) throw toError();
    await clock.sleep(pauseMs);
  }

  function budgetUnknown(): ApiError {
    onEvent({ type: 'budgetUnknown', retryAfterSeconds: RETRY_SECONDS });
    return new ApiError('CREDIT_BUDGET_EXHAUSTED', {
      message: 'This server cannot reserve credits at the moment (CREDIT_BUDGET_PER_DAY).',
      retryAfterSeconds: RETRY_SECONDS,
    });
  }

  function protect<Key, Value>(source: Source<Key, Value>, endpoint: Endpoint<Key>): Source<Key, Value> {
    const scopes = { account, endpoint: createCircuit({ endpoint: endpoint.name, clock, onEvent }) };
    circuits.set(keyOfEndpointCircuit(endpoint.name), scopes.endpoint);

    /**
     * Reserves one call, waiting for its turn; returns the day whose budget pays for it. Undefined when Redis is down.
     */
    async function reserve(token: string, key: Key, call: Call): Promise<number | undefined> {
      const { signal, deadline } = call;
      const toShedError = (): ApiError => createShedError(endpoint, key, onEvent);
      let place = order.enter(toPriority(call, endpoint));
      try {
        for (;;) {
          signal?.throwIfAborted();
          scopes.account.throwIfOpen();
          scopes.endpoint.throwIfOpen();
          if (!place.isFirst()) {
            await Promise.race([place.changed(), waitFor(WAIT_MS, deadline, toShedError)]);
            continue;
          }
          const reservation = await askForTurn(token, deadline);
          switch (reservation?.type) {
            case 'granted':
              spent = reservation.spent;
              return spent.day;
            case 'spent':
              throw createBudgetError(Math.ceil(reservation.ms / 1000), onEvent);
            case 'open':
              scopes[reservation.scope].stopCalls(reservation.error, reservation.ms);
              break;
            case 'wait':
              await waitFor(reservation.ms, deadline, toShedError);
              break;
            case 'probed':
              // Calls to other endpoints may continue in the meantime.
              place.leave();
              await waitFor(reservation.ms, deadline, toShedError);
              place = order.enter(toPriority(call, endpoint));
              break;
            case 'held':
              await waitFor(reservation.ms, deadline, budgetUnknown);
              break;
            default:
              return undefined;
          }
        }
      } finally {
        place.leave();
      }
    }

    /** Asks Redis for one call within all limits; undefined when it is down. */
    async function askForTurn(token: string, deadline: Call['deadline']): Promise<Reservation | undefined> {
      // After the reservation the call may still have to wait for its turn in this replica.
      const turnMs = Math.min(Math.max(0, deadline() - clock.monotonic()), MAX_TURN_MS);
      return reserveCall(redis.run, {
        endpoint: endpoint.name,
        token,
        callsPerSecond: qps,
        takesMs: Math.ceil(turnMs) + attemptMs,
        windowMs: WINDOW_MS,
        credits: endpoint.credits,
        creditsPerDay,
        holdMs: HOLD_MS,
        today: today(),
      }).catch(() => undefined);
    }

    /** Reports the state of a call to all replicas. */
    async function report(token: string, call: CallState, day: number): Promise<void> {
      const { spent: spentOnDay, changes } = await reportCall(redis.run, {
        endpoint: endpoint.name,
        token,
        call,
        attemptMs,
        windowMs: WINDOW_MS,
        credits: creditsPerDay === undefined ? 0 : endpoint.credits,
        day,
        maxFailures: MAX_FAILURES,
        // When Redis went down meanwhile, at least this replica stops.
      }).catch(() => ({ spent: undefined, changes: knownChanges(call) }));
      if (spentOnDay !== undefined && spent?.day === day) spent = { day, credits: spentOnDay };
      applyChanges(changes, call);
    }

    function applyChanges(changes: readonly CircuitChange[], call: CallState, isReported = true): void {
      for (const { scope, change, ms } of changes) {
        const stop = change === 'paused' ? call.pause : call.stop;
        if (change === 'closed') scopes[scope].close();
        else if (stop) scopes[scope].stopCalls(stop.error, ms, isReported);
      }
    }

    /** Makes a call that Redis does not know of. This replica's own circuit breakers emit the events of such calls. */
    async function runUnreserved(key: Key, call: Call): Promise<Value> {
      if (creditsPerDay !== undefined) throw budgetUnknown();
      try {
        return await source(key, call);
      } catch (error) {
        const state = toCallState(error, endpoint);
        applyChanges(knownChanges(state), state, false);
        throw error;
      }
    }

    async function runReserved(key: Key, call: Call, token: string, day: number): Promise<Value> {
      const onSent = (): void => {
        if (spent) onSpend?.(spent);
        void report(token, { state: 'sent' }, day);
        call.onSent();
      };
      try {
        const value = await scopes.account.run({ ...call, onSent }, (unlessAccount) =>
          scopes.endpoint.run(unlessAccount, (unlessEither) => source(key, unlessEither)),
        );
        void report(token, { state: 'succeeded' }, day);
        return value;
      } catch (error) {
        // All replicas know of a failure before the caller does.
        await report(token, toCallState(error, endpoint), day);
        throw error;
      }
    }

    return async (key, call) => {
      const token = randomUUID();
      const day = await reserve(token, key, call);
      return day === undefined ? runUnreserved(key, call) : runReserved(key, call, token, day);
    };
  }

  return {
    protect,
    openCircuits: () => [...circuits.values()].flatMap((circuit) => circuit.state()),
    creditsLeft: () => {
      // As in Redis, a day ends when both clocks say so.
      const day = Math.min(today(), toUtcDay(redis.now()));
      const credits = spent && spent.day >= day ? spent.credits : 0;
      return creditsPerDay === undefined ? undefined : Math.max(0, creditsPerDay - credits);
    },
  };
}

/** The state of a call that has failed. */
function toCallState(error: unknown, endpoint: Pick<Endpoint<never>, 'pauses'>): CallState {
  if (!(error instanceof ApiError)) return { state: 'answered' };
  if (!error.isCallFailure) return { state: 'unsent' };
  const refusal = toCallPause(error, endpoint);
  if (refusal) {
    const { scope, seconds, maxSeconds } = refusal;
    return { state: 'refused', stop: { scope, error, ms: seconds * 1000, maxMs: maxSeconds * 1000 } };
  }
  const { retryAfterSeconds } = error;
  const pause = retryAfterSeconds === undefined ? undefined : { error, ms: retryAfterSeconds * 1000 };
  if (!isUpstreamFailure(error)) return { state: 'answered', pause };
  const ms = FAILURE_SECONDS * 1000;
  const stop = { scope: 'endpoint', error: toUnavailable(), ms, maxMs: ms } as const;
  return { state: error.hadNoConnection ? 'unconnected' : 'failed', stop, pause };
}

/** The circuits that a call opens, whatever Redis knows of other calls. */
function knownChanges({ state, stop, pause }: CallState): CircuitChange[] {
  if (state === 'refused' && stop) return [{ scope: stop.scope, change: 'opened', ms: stop.ms }];
  return pause ? [{ scope: 'endpoint', change: 'paused', ms: pause.ms }] : [];
}
