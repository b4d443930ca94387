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

/** A budget at this hour of 2026-01-01, and what it can still pay for. */
function createBudget(hour: number, options: Partial<CreditBudgetOptions> = {}) {
  const clock = createTestClock(Date.UTC(2026, 0, 1, hour));
  const told: Spending[] = [];
  const budget = createCreditBudget({
    creditsPerDay: 10,
    clock,
    onSpend: (spent) => void told.push(spent),
    ...options,
  });
  const buy = (): boolean => {
    if (!budget.reserve(2)) return false;
    budget.spend(2);
    return true;
  };
  /** Spends all that is left; gives how many calls that were. */
  const drain = (): number => {
    let calls = 0;
    while (buy()) calls++;
    return calls;
  };
  return { clock, budget, drain, buy, told };
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

  it('counts what is set aside, and has it again when it is given back', () => {
    const { budget, drain } = createBudget(12);
    for (let call = 0; call < 5; call++) expect(budget.reserve(2)).toBe(true);
    expect(budget.reserve(2)).toBe(false);
    expect(budget.isSpent(2)).toBe(false);
    budget.release(2);
    budget.spend(2);
    expect(drain()).toBe(1);
    expect(budget.isSpent(2)).toBe(false);
  });

  it('tells those who wait when what is set aside is spent or given back', async () => {
    const { budget } = createBudget(12);
    budget.reserve(4);
    for (const settle of [budget.spend, budget.release]) {
      const changed = budget.changed();
      settle(2);
      await changed;
    }
  });

  it('pays with the new day for what was set aside the day before, and no more than that has', () => {
    const { clock, budget, drain } = createBudget(23);
    for (let call = 0; call < 4; call++) budget.reserve(2);
    clock.advance(HOUR);
    budget.spend(2);
    budget.release(2);
    // 2 spent, 4 still set aside.
    expect(drain()).toBe(2);
    budget.release(4);
    expect(drain()).toBe(2);
    expect(drain()).toBe(0);
  });

  it('goes on with what was spent before the process started, on the same day', () => {
    expect(createBudget(12, { spent: { day: TODAY, credits: 6 } }).drain()).toBe(2);
    expect(createBudget(12, { spent: { day: TODAY - 1, credits: 6 } }).drain()).toBe(5);
    expect(createBudget(12, { spent: { day: TODAY, credits: 60 } }).drain()).toBe(0);
  });

  it('tells what is spent: at the start, then before each request that leaves, and nothing else', () => {
    const { budget, told } = createBudget(12, { spent: { day: TODAY, credits: 4 } });
    budget.reserve(2);
    budget.reserve(2);
    budget.spend(2);
    budget.release(2);
    expect(told).toEqual([
      { day: TODAY, credits: 4 },
      { day: TODAY, credits: 6 },
    ]);
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
