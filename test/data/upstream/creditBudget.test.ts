import { describe, expect, it } from '@jest/globals';
import {
  type CreditBudgetOptions,
  createCreditBudget,
  type Spending,
} from '../../../src/data/upstream/creditBudget.ts';
import { createTestClock } from '../../support/clock.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const TODAY = Math.floor(Date.UTC(2026, 0, 1) / DAY);

/** A budget at this hour of 2026-01-01, and functions that spend from it. */
function createBudget(hour: number, options: Partial<CreditBudgetOptions> = {}) {
  const clock = createTestClock(Date.UTC(2026, 0, 1, hour));
  const reported: Spending[] = [];
  const budget = createCreditBudget({
    creditsPerDay: 10,
    clock,
    onSpend: (spent) => void reported.push(spent),
    ...options,
  });
  const buy = (): boolean => {
    if (!budget.reserve(2)) return false;
    budget.spend(2);
    return true;
  };
  /** Spends all credits that are left; returns the number of calls. */
  const drain = (): number => {
    let calls = 0;
    while (buy()) calls++;
    return calls;
  };
  return { clock, budget, drain, buy, reported };
}

describe('createCreditBudget', () => {
  it('allows the daily budget, and again when the next UTC day begins', () => {
    const { clock, budget, drain } = createBudget(20);
    expect(drain()).toBe(5);
    expect(budget.secondsLeft()).toBe(4 * 3600);
    clock.advance(4 * HOUR - 1);
    expect(drain()).toBe(0);
    clock.advance(1);
    expect(drain()).toBe(5);
    expect(budget.secondsLeft()).toBe(24 * 3600);
  });

  it('allows no call that the remaining credits cover only in part', () => {
    expect(createBudget(0, { creditsPerDay: 5 }).drain()).toBe(2);
    expect(createBudget(0, { creditsPerDay: 0 }).drain()).toBe(0);
  });

  it('counts reserved credits as used, and makes them available again when they are released', () => {
    const { budget, drain } = createBudget(12);
    for (let call = 0; call < 5; call++) expect(budget.reserve(2)).toBe(true);
    expect(budget.reserve(2)).toBe(false);
    expect(budget.isSpent(2)).toBe(false);
    budget.release(2);
    budget.spend(2);
    expect(drain()).toBe(1);
    expect(budget.isSpent(2)).toBe(false);
  });

  it('notifies waiters when reserved credits are spent or released', async () => {
    const { budget } = createBudget(12);
    budget.reserve(4);
    for (const settle of [budget.spend, budget.release]) {
      const changed = budget.changed();
      settle(2);
      await changed;
    }
  });

  it("charges credits reserved the day before to the new day, within the new day's budget", () => {
    const { clock, budget, drain } = createBudget(23);
    for (let call = 0; call < 4; call++) budget.reserve(2);
    clock.advance(HOUR);
    budget.spend(2);
    budget.release(2);
    // 2 spent, 4 still reserved.
    expect(drain()).toBe(2);
    budget.release(4);
    expect(drain()).toBe(2);
    expect(drain()).toBe(0);
  });

  it('counts the credits that were spent on the same day before the process started', () => {
    expect(createBudget(12, { spent: { day: TODAY, credits: 6 } }).drain()).toBe(2);
    expect(createBudget(12, { spent: { day: TODAY - 1, credits: 6 } }).drain()).toBe(5);
    expect(createBudget(12, { spent: { day: TODAY, credits: 60 } }).drain()).toBe(0);
  });

  it('reports the credits spent at the start and for each request that is sent, and at no other time', () => {
    const { budget, reported } = createBudget(12, { spent: { day: TODAY, credits: 4 } });
    budget.reserve(2);
    budget.reserve(2);
    budget.spend(2);
    budget.release(2);
    expect(reported).toEqual([
      { day: TODAY, credits: 4 },
      { day: TODAY, credits: 6 },
    ]);
  });

  describe('when the wall clock jumps', () => {
    it('an hour ahead, past midnight: refuses calls until the day has really ended', () => {
      const { clock, drain } = createBudget(23);
      drain();
      clock.jump(HOUR);
      expect(drain()).toBe(0);
      clock.advance(HOUR);
      expect(drain()).toBe(5);
    });

    it('an hour back: renews the budget once, when the day has really ended', () => {
      const { clock, drain } = createBudget(23);
      drain();
      clock.jump(-HOUR);
      clock.advance(HOUR);
      expect(drain()).toBe(5);
      // By the wall clock it is midnight only now; the new day's budget is already spent.
      clock.advance(HOUR);
      expect(drain()).toBe(0);
      clock.advance(23 * HOUR);
      expect(drain()).toBe(5);
    });

    it('an hour back past midnight, between two processes: continues the day that had already begun', () => {
      const { drain } = createBudget(23, { spent: { day: TODAY + 1, credits: 10 } });
      expect(drain()).toBe(0);
    });

    it('years ahead and back: refuses calls for a day at most', () => {
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
