import { randomUUID } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import { ApiError } from '../../domain/errors.ts';
import type { FetchOptions, Page, PageKey, PageSource } from '../../domain/page.ts';
import { CREDITS_PER_REQUEST } from '../../domain/upstreamCost.ts';
import type { OnDataEvent } from '../events.ts';
import { secondsRefused } from '../upstream/accountRefusal.ts';
import type { Spending } from '../upstream/creditBudget.ts';
import { shed } from '../upstream/shed.ts';
import { watchSending } from '../upstream/watchSending.ts';
import {
  FAILURE_SECONDS,
  isFailure,
  MAX_FAILURES,
  type Opening,
  toRefusal,
} from '../upstream/withCircuitBreaker.ts';
import { WINDOW_MS } from '../upstream/withRateLimit.ts';
import { decodeError, encodeError } from './errorRecord.ts';
import type { RedisLink, RunScript } from './redisConnection.ts';

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
/** Longest wait between a reservation and its call that is reckoned with. */
const MAX_TURN_MS = 60_000;

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
  let spent: Spending | undefined = options.spent;
  let opening: Opening | undefined;
  if (spent && creditsPerDay !== undefined) onEvent({ type: 'budgetSpent', ...spent });
  link.onBeat(async (run, isFirst) => {
    if (isFirst) await tellOpening(run);
    const hasBudget = creditsPerDay === undefined ? 0 : 1;
    const known = [spent?.day ?? -1, spent?.credits ?? 0];
    const args = [hasBudget, ...known, isFirst ? 1 : 0, HOLD_MS, today()];
    const [day, credits, error, ms] = await run('compare', KEYS, args);
    if (hasBudget) noteSpending({ day: Number(day), credits: Number(credits) });
    if (Number(ms) > 0) noteOpening(decodeError(String(error)), Number(ms));
    else if (String(error) === '' && opening && clock.monotonic() >= opening.until) noteClosing();
  });

  /** What was learnt while Redis was away, or before it forgot, holds for the others too. */
  async function tellOpening(run: RunScript): Promise<void> {
    if (!opening || clock.monotonic() >= opening.until) return;
    const ms = Math.ceil(opening.until - clock.monotonic());
    await run('report', KEYS, ['', 'refused', WINDOW_MS, encodeError(opening.error), ms, MAX_FAILURES, 0, 0]);
  }

  function noteSpending(spending: Spending): void {
    const isNews = spending.day !== spent?.day || spending.credits !== spent.credits;
    spent = spending;
    if (isNews && creditsPerDay !== undefined) onEvent({ type: 'budgetSpent', ...spending });
  }

  function today(): number {
    return Math.floor(clock.now() / DAY_MS);
  }

  /** Takes the right to one call, as soon as there is one; gives the day that pays for it. Undefined without Redis. */
  async function reserve(
    token: string,
    key: PageKey,
    fetchOptions: FetchOptions,
  ): Promise<number | undefined> {
    for (;;) {
      fetchOptions.check();
      throwIfOpen();
      const budget = [CREDITS_PER_REQUEST, creditsPerDay ?? '', HOLD_MS, today()];
      // It may have to wait for its turn in this replica before it leaves.
      const turnMs = Math.min(Math.max(0, fetchOptions.deadline() - clock.monotonic()), MAX_TURN_MS);
      const args = [token, qps, Math.ceil(turnMs) + attemptMs, WINDOW_MS, ...budget];
      const [answer, first, second] = await link.run('reserve', KEYS, args).catch(() => []);
      switch (String(answer)) {
        case 'granted':
          noteSpending({ day: Number(first), credits: Number(second) });
          return Number(first);
        case 'spent':
          throw exhausted(Math.ceil(Number(first) / 1000));
        case 'open':
          noteOpening(decodeError(String(first)), Number(second));
          break;
        case 'wait':
          await waitFor(Number(first), fetchOptions, () => shed(key, onEvent));
          break;
        case 'held':
          await waitFor(Number(first), fetchOptions, unknown);
          break;
        default:
          return undefined;
      }
    }
  }

  /** Waits for a moment of `ms`; throws when there is no time for that. */
  async function waitFor(ms: number, { deadline }: FetchOptions, toError: () => ApiError): Promise<void> {
    const pauseMs = Math.min(ms, WAIT_MS);
    if (clock.monotonic() + pauseMs >= deadline()) throw toError();
    await clock.sleep(pauseMs);
  }

  function throwIfOpen(): void {
    if (opening && clock.monotonic() < opening.until) throw toRefusal(opening, clock);
  }

  function noteOpening(error: ApiError = unavailable(), ms: number, isTold = true): void {
    const isNews = !opening || clock.monotonic() >= opening.until || opening.error.code !== error.code;
    opening = { error, until: clock.monotonic() + ms };
    if (isNews && isTold) onEvent({ type: 'circuitOpened', code: error.code, seconds: Math.ceil(ms / 1000) });
  }

  function noteClosing(): void {
    opening = undefined;
    onEvent({ type: 'circuitClosed' });
  }

  function exhausted(retryAfterSeconds: number): ApiError {
    onEvent({ type: 'budgetRefused', retryAfterSeconds });
    return new ApiError('CREDIT_BUDGET_EXHAUSTED', { retryAfterSeconds });
  }

  function unknown(): ApiError {
    onEvent({ type: 'budgetUnknown', retryAfterSeconds: RETRY_SECONDS });
    return new ApiError('CREDIT_BUDGET_EXHAUSTED', {
      message: 'This server cannot reserve credits for the moment (CREDIT_BUDGET_PER_DAY).',
      retryAfterSeconds: RETRY_SECONDS,
    });
  }

  /** Tells all replicas what became of a call. */
  async function report(token: string, verdict: Verdict, day: number): Promise<void> {
    const { word, error, ms } = verdict;
    const credits = creditsPerDay === undefined ? 0 : CREDITS_PER_REQUEST;
    const args = [token, word, WINDOW_MS, error ? encodeError(error) : '', ms, MAX_FAILURES, credits, day];
    // Where Redis has gone meanwhile, at least this replica knows.
    const gone = word === 'refused' ? 'opened' : '';
    const [change] = await link.run('report', KEYS, args).catch(() => [gone]);
    if (String(change) === 'opened') noteOpening(error, ms);
    if (String(change) === 'closed') noteClosing();
  }

  /** A call that Redis does not know of. The circuit breaker of this replica tells of what it meets. */
  async function fetchUnreserved(key: PageKey, fetchOptions: FetchOptions): Promise<Page> {
    if (creditsPerDay !== undefined) throw unknown();
    try {
      return await source(key, fetchOptions);
    } catch (error) {
      const { word, error: cause, ms } = judge(error, true);
      if (word === 'refused') noteOpening(cause, ms, false);
      throw error;
    }
  }

  return async (key, fetchOptions): Promise<Page> => {
    const token = randomUUID();
    const day = await reserve(token, key, fetchOptions);
    if (day === undefined) return fetchUnreserved(key, fetchOptions);
    const check = (): void => {
      fetchOptions.check();
      // It may have opened while this call waited for a connection.
      throwIfOpen();
    };
    const onRequest = (): void => {
      if (spent) onSpend?.(spent);
      void report(token, { word: 'sent', ms: attemptMs }, day);
      fetchOptions.onRequest();
    };
    const { watched, isSent } = watchSending({ ...fetchOptions, check, onRequest });
    try {
      const page = await source(key, watched);
      void report(token, ANSWERED, day);
      return page;
    } catch (error) {
      // Known to all before anybody hears of it here.
      await report(token, judge(error, isSent()), day);
      throw error;
    }
  };
}

/** What a call says of those to come. */
interface Verdict {
  readonly word: 'unsent' | 'sent' | 'answered' | 'refused' | 'failed';
  /** What holds all calls back, and for how long; when it failed, only if others have as well. */
  readonly error?: ApiError;
  readonly ms: number;
}

const ANSWERED: Verdict = { word: 'answered', ms: 0 };

function judge(error: unknown, isSent: boolean): Verdict {
  if (!isSent) return { word: 'unsent', ms: 0 };
  if (!(error instanceof ApiError)) return ANSWERED;
  const seconds = secondsRefused(error);
  if (seconds !== undefined) return { word: 'refused', error, ms: seconds * 1000 };
  return isFailure(error) ? { word: 'failed', error: unavailable(), ms: FAILURE_SECONDS * 1000 } : ANSWERED;
}

function unavailable(): ApiError {
  return new ApiError('UPSTREAM_UNAVAILABLE', { retryAfterSeconds: FAILURE_SECONDS });
}
