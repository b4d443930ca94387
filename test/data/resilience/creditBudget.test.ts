import { describe, expect, it } from '@jest/globals';
import type { DataEvent } from '../../../src/data/events.ts';
import {
  type CreditBudgetOptions,
  createCreditBudget,
  type Spending,
} from '../../../src/data/resilience/creditBudget.ts';
import { withCreditBudget } from '../../../src/data/resilience/withCreditBudget.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import type { PageSource } from '../../../src/domain/page.ts';
import { fetchOptions } from '../../support/cache.ts';
import { makePage, makeVideos, range, US_VIEWS } from '../../support/charts.ts';
import { createTestClock } from '../../support/clock.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const TODAY = Math.floor(Date.UTC(2026, 0, 1) / DAY);

/** A budget at this hour of 2026-01-01, and what it can still pay for. */
function createBudget(hour: number, options: Partial<CreditBudgetOptions> = {}) {
  const clock = createTestClock(Date.UTC(2026, 0, 1, hour));
  const changes: Spending[] = [];
  const budget = createCreditBudget({
    creditsPerDay: 10,
    clock,
    onChange: (spent) => void changes.push(spent),
    ...options,
  });
  /** Spends all that is left; gives how many calls that were. */
  const drain = (): number => {
    let calls = 0;
    while (budget.reserve(2)) calls++;
    return calls;
  };
  return { clock, budget, drain, changes };
}

describe('createCreditBudget', () => {
  it('gives what a day has, and again when the UTC day turns', () => {
    const { clock, budget, drain } = createBudget(20);
    expect(drain()).toBe(5);
    expect(budget.secondsLeft()).toBe(4 * 3600);
    clock.advance(4 * HOUR - 1);
    expect(drain()).toBe(0);
    clock.advance(1);
    expect(drain()).toBe(5);
    expect(budget.secondsLeft()).toBe(24 * 3600);
  });

  it('never gives a part of a call', () => {
    expect(createBudget(0, { creditsPerDay: 5 }).drain()).toBe(2);
    expect(createBudget(0, { creditsPerDay: 0 }).drain()).toBe(0);
  });

  it('takes back what was not used, on the same day', () => {
    const { clock, budget, drain } = createBudget(23);
    const [kept, released] = [budget.reserve(2), budget.reserve(2)];
    released?.release();
    expect(drain()).toBe(4);
    clock.advance(HOUR);
    kept?.release();
    expect(drain()).toBe(5);
  });

  it('counts credits for the day on which they are used', () => {
    const { clock, budget, drain } = createBudget(23);
    const waiting = range(1, 5).map(() => budget.reserve(2));
    clock.advance(HOUR);
    expect(waiting.slice(0, 3).map((reservation) => reservation?.confirm())).toEqual([true, true, true]);
    expect(drain()).toBe(2);
    expect(waiting[4]?.confirm()).toBe(false);
  });

  it('goes on with what was spent before the process started, on the same day', () => {
    expect(createBudget(12, { spent: { day: TODAY, credits: 6 } }).drain()).toBe(2);
    expect(createBudget(12, { spent: { day: TODAY - 1, credits: 6 } }).drain()).toBe(5);
    expect(createBudget(12, { spent: { day: TODAY, credits: 60 } }).drain()).toBe(0);
  });

  it('tells of each change before the credits are used', () => {
    const { budget, changes } = createBudget(12);
    budget.reserve(2);
    budget.reserve(2)?.release();
    expect(changes.map(({ credits }) => credits)).toEqual([2, 4, 2]);
    expect(changes[0]?.day).toBe(TODAY);
  });

  describe('when the wall clock jumps', () => {
    it('an hour ahead, over midnight: stays shut until the day has really passed', () => {
      const { clock, drain } = createBudget(23);
      drain();
      clock.jump(HOUR);
      expect(drain()).toBe(0);
      clock.advance(HOUR);
      expect(drain()).toBe(5);
    });

    it('an hour back: opens when the day has really passed, and once', () => {
      const { clock, drain } = createBudget(23);
      drain();
      clock.jump(-HOUR);
      clock.advance(HOUR);
      expect(drain()).toBe(5);
      // By the wall clock it is midnight now; the budget of the new day is spent already.
      clock.advance(HOUR);
      expect(drain()).toBe(0);
      clock.advance(23 * HOUR);
      expect(drain()).toBe(5);
    });

    it('an hour back over midnight, between two processes: the day that was begun goes on', () => {
      const { drain } = createBudget(23, { spent: { day: TODAY + 1, credits: 10 } });
      expect(drain()).toBe(0);
    });

    it('years ahead and back: is shut for a day at most', () => {
      const { clock, drain } = createBudget(12);
      drain();
      clock.jump(1000 * DAY);
      clock.advance(12 * HOUR);
      expect(drain()).toBe(5);
      clock.jump(-2000 * DAY);
      clock.advance(DAY);
      expect(drain()).toBe(5);
      expect(createBudget(12, { spent: { day: TODAY + 1000, credits: 10 } }).drain()).toBe(5);
    });
  });
});

describe('withCreditBudget', () => {
  const page = makePage(makeVideos(1, 20), 1, 20);

  function createSpender(source: PageSource, creditsPerDay = 10) {
    const { clock, budget } = createBudget(12, { creditsPerDay });
    const events: DataEvent[] = [];
    const fetch = withCreditBudget(source, budget, (event) => void events.push(event));
    return {
      clock,
      events,
      fetch: (number: number) => fetch({ chart: US_VIEWS, number, pageSize: 20 }, fetchOptions()),
    };
  }

  it('refuses what the budget cannot pay for, whatever the concurrency, and says when it can again', async () => {
    let calls = 0;
    const { fetch, events } = createSpender(async (_key, { onRequest }) => {
      await new Promise(setImmediate);
      onRequest();
      calls++;
      return page;
    });
    const outcomes = await Promise.allSettled(range(1, 200).map(fetch));
    expect(calls).toBe(5);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'CREDIT_BUDGET_EXHAUSTED', retryable: true, retryAfterSeconds: 12 * 3600 },
    });
    expect(events.map((event) => event.type === 'budgetRefused' && event.isFirst)).toEqual([
      true,
      ...Array(194).fill(false),
    ]);
  });

  it('gives back what a call took that was not made', async () => {
    let calls = 0;
    const { fetch } = createSpender(async (_key, { onRequest }) => {
      if (calls++ % 2 === 0) throw new ApiError('UPSTREAM_UNAVAILABLE');
      onRequest();
      return page;
    });
    const outcomes: string[] = [];
    for (const number of range(1, 12)) {
      outcomes.push(
        await fetch(number).then(
          () => 'ok',
          (error) => error.code,
        ),
      );
    }
    expect(outcomes.filter((outcome) => outcome === 'ok')).toHaveLength(5);
    expect(outcomes.slice(10)).toEqual(['CREDIT_BUDGET_EXHAUSTED', 'CREDIT_BUDGET_EXHAUSTED']);
  });

  it('counts a call that failed: it may have been billed', async () => {
    const { fetch } = createSpender(async (_key, { onRequest }) => {
      onRequest();
      throw new ApiError('UPSTREAM_TIMEOUT');
    }, 2);
    await expect(fetch(1)).rejects.toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
    await expect(fetch(2)).rejects.toMatchObject({ code: 'CREDIT_BUDGET_EXHAUSTED' });
  });

  it('does not send a call whose credits are no longer there when its turn comes', async () => {
    const turns: (() => void)[] = [];
    let sent = 0;
    const { clock, fetch } = createSpender(async (_key, { onRequest }) => {
      await new Promise<void>((resolve) => void turns.push(resolve));
      onRequest();
      sent++;
      return page;
    }, 2);
    const yesterday = fetch(1);
    clock.advance(12 * HOUR);
    const today = fetch(2);
    for (const turn of turns) turn();
    await expect(yesterday).rejects.toMatchObject({ code: 'CREDIT_BUDGET_EXHAUSTED' });
    await today;
    expect(sent).toBe(1);
  });
});
