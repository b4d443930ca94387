import { randomUUID } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import { ApiError } from '../../domain/errors.ts';
import type { FetchOptions, Page, PageKey, PageSource } from '../../domain/page.ts';
import { CREDITS_PER_REQUEST } from '../../domain/upstreamCost.ts';
import type { OnDataEvent } from '../events.ts';
import { secondsRefused } from '../resilience/accountRefusal.ts';
import type { Spending } from '../resilience/creditBudget.ts';
import { shed } from '../resilience/shed.ts';
import { watchSending } from '../resilience/watchSending.ts';
import {
  FAILURE_SECONDS,
  isFailure,
  MAX_FAILURES,
  type Opening,
  toRefusal,
} from '../resilience/withCircuitBreaker.ts';
import { WINDOW_MS } from '../resilience/withRateLimit.ts';
import { decodeError, encodeError } from './errorRecord.ts';
import type { RedisLink } from './redisLink.ts';

/** What all replicas may spend together. */
export interface SharedAllowanceOptions {
  readonly link: RedisLink;
  /** Calls in any second. */
  readonly qps: number;
  /** Credits a UTC day; undefined when there is no limit. */
  readonly creditsPerDay: number | undefined;
  /** What was spent before the process started. */
  readonly spent?: Spending | undefined;
  /** Told what all replicas have spent, before each request that this one pays for leaves. */
  readonly onSpend?: ((spent: Spending) => void) | undefined;
  /** Deadline of one attempt. */
  readonly attemptMs: number;
  readonly clock: Clock;
  readonly onEvent: OnDataEvent;
}

/** Longest pause before Redis is asked again for what it did not grant. */
const WAIT_MS = 50;
/** After Redis has lost what was spent, each replica has said what it knows by then. */
const HOLD_MS = 2000;
/** When Redis may be there again. */
const RETRY_SECONDS = 5;
const KEYS = ['circuit', 'calls', 'budget'];
const DAY_MS = 86_400_000;

/**
 * Reserves each call in Redis before it is made, of what all replicas may do together: the rate, the day's credits, and
 * the circuit that a failing upstream, a refused account or a 429 opens for all of them. Waits for the rate, and for
 * another replica's probe.
 *
 * While Redis is away a call is made unreserved, unless there is a budget, which could be overspent then; and not
 * while the circuit is open, as far as was known.
 *
 * @throws {ApiError} What opened the circuit; `CREDIT_BUDGET_EXHAUSTED`; `UPSTREAM_UNAVAILABLE` when its turn would
 * not come in time.
 */
export function withSharedAllowance(source: PageSource, options: SharedAllowanceOptions): PageSource {
  const { link, qps, creditsPerDay, attemptMs, clock, onSpend, onEvent } = options;
  let spent: Spending = options.spent ?? { day: Math.floor(clock.now() / DAY_MS), credits: 0 };
  let opening: Opening | undefined;
  link.onBeat(async (run, isFirst) => {
    const args = [creditsPerDay === undefined ? 0 : 1, spent.day, spent.credits, isFirst ? 1 : 0, HOLD_MS];
    const [day, credits, error, ms] = await run('compare', KEYS, args);
    spent = { day: Number(day), credits: Number(credits) };
    if (Number(ms) > 0) noteOpening(String(error), Number(ms));
  });

  /** Takes the right to one call, as soon as there is one; gives the day that pays for it. Undefined without Redis. */
  async function reserve(
    token: string,
    key: PageKey,
    fetchOptions: FetchOptions,
  ): Promise<number | undefined> {
    for (;;) {
      fetchOptions.check();
      throwIfOpen();
      const budget = [CREDITS_PER_REQUEST, creditsPerDay ?? '', HOLD_MS];
      const args = [token, qps, attemptMs, WINDOW_MS, ...budget];
      const [answer, first, second] = await link.run('reserve', KEYS, args).catch(() => []);
      switch (String(answer)) {
        case 'granted':
          spent = { day: Number(first), credits: Number(second) };
          return spent.day;
        case 'spent':
          throw exhausted(Math.ceil(Number(first) / 1000));
        case 'open':
          noteOpening(String(first), Number(second));
          break;
        case 'wait':
          await waitFor(Math.min(Number(first), WAIT_MS), key, fetchOptions);
          break;
        default:
          return undefined;
      }
    }
  }

  async function waitFor(ms: number, key: PageKey, { deadline }: FetchOptions): Promise<void> {
    if (clock.monotonic() + ms >= deadline()) throw shed(key, onEvent);
    await clock.sleep(ms);
  }

  function throwIfOpen(): void {
    if (opening && clock.monotonic() < opening.until) throw toRefusal(opening, clock);
  }

  function noteOpening(text: string, ms: number): void {
    const error =
      decodeError(text) ?? new ApiError('UPSTREAM_UNAVAILABLE', { retryAfterSeconds: Math.ceil(ms / 1000) });
    const isNews =
      opening === undefined || clock.monotonic() >= opening.until || opening.error.code !== error.code;
    opening = { error, until: clock.monotonic() + ms };
    if (isNews) onEvent({ type: 'circuitOpened', code: error.code, seconds: Math.ceil(ms / 1000) });
  }

  function exhausted(retryAfterSeconds: number): ApiError {
    onEvent({ type: 'budgetRefused', retryAfterSeconds });
    return new ApiError('CREDIT_BUDGET_EXHAUSTED', { retryAfterSeconds });
  }

  function unknown(): ApiError {
    onEvent({ type: 'budgetUnknown', retryAfterSeconds: RETRY_SECONDS });
    return new ApiError('CREDIT_BUDGET_EXHAUSTED', {
      message: 'This server cannot reserve credits for the moment.',
      retryAfterSeconds: RETRY_SECONDS,
    });
  }

  /** Tells all replicas what became of a call. */
  async function report(token: string, isSent: boolean, day: number, error?: unknown): Promise<void> {
    const seconds = error instanceof ApiError ? secondsRefused(error) : undefined;
    const isFailed = error instanceof ApiError && isFailure(error);
    let verdict = 'answered';
    if (!isSent) verdict = 'unsent';
    else if (seconds !== undefined) verdict = 'refused';
    else if (isFailed) verdict = 'failed';

    const cause = seconds !== undefined && error instanceof ApiError ? error : unavailable();
    const ms = (seconds ?? FAILURE_SECONDS) * 1000;
    const credits = creditsPerDay === undefined ? 0 : CREDITS_PER_REQUEST;
    const args = [token, verdict, WINDOW_MS, encodeError(cause), ms, MAX_FAILURES, credits, day];
    const [change] = await link.run('report', KEYS, args).catch(() => []);
    if (String(change) === 'opened') noteOpening(encodeError(cause), ms);
    if (String(change) === 'closed') {
      opening = undefined;
      onEvent({ type: 'circuitClosed' });
    }
  }

  return async (key, fetchOptions): Promise<Page> => {
    const token = randomUUID();
    const day = await reserve(token, key, fetchOptions);
    if (day === undefined) {
      if (creditsPerDay !== undefined) throw unknown();
      return source(key, fetchOptions);
    }
    const onRequest = (): void => {
      onSpend?.(spent);
      fetchOptions.onRequest();
    };
    const { watched, isSent } = watchSending({ ...fetchOptions, onRequest });
    try {
      const page = await source(key, watched);
      void report(token, true, day);
      return page;
    } catch (error) {
      // Known to all before anybody hears of it here.
      await report(token, isSent(), day, error);
      throw error;
    }
  };
}

function unavailable(): ApiError {
  return new ApiError('UPSTREAM_UNAVAILABLE', { retryAfterSeconds: FAILURE_SECONDS });
}
