import type { Clock } from '../../domain/clock.ts';
import { DAY_MS, toUtcDay } from '../../domain/utcDay.ts';
import { createChangeSignal } from './changeSignal.ts';

/** Credits spent on a UTC day. */
export interface Spending {
  /** Days since 1970-01-01. */
  readonly day: number;
  readonly credits: number;
}

/**
 * The credits that may be spent on one UTC day. They are reserved before a call waits for its turn, and then spent when
 * its request is sent, or released when it is not. Spent and reserved credits together never exceed the budget.
 */
export interface CreditBudget {
  /** Reserves credits; false when fewer are left. */
  reserve(credits: number): boolean;
  /** Spends reserved credits. */
  spend(credits: number): void;
  /** Releases reserved credits. */
  release(credits: number): void;
  /** True when the credits would not be left even if all reserved ones were released. */
  isSpent(credits: number): boolean;
  /** Credits that are not spent; some of them may be reserved. */
  left(): number;
  /** Resolves when reserved credits are spent or released. */
  changed(): Promise<void>;
  /** Seconds until the day ends. */
  secondsLeft(): number;
}

/** See `createCreditBudget`. */
export interface CreditBudgetOptions {
  readonly creditsPerDay: number;
  readonly clock: Clock;
  /** What was spent before the process started; counts if it was today. */
  readonly spent?: Spending | undefined;
  /** Receives what is spent: at the start, and before each request is sent. */
  readonly onSpend?: ((spent: Spending) => void) | undefined;
}

/**
 * Creates a budget that cannot be exceeded. A day ends when the time that was left of it has passed on the monotonic
 * clock: setting the wall clock neither resets the budget early nor keeps it spent.
 */
export function createCreditBudget(options: CreditBudgetOptions): CreditBudget {
  const { creditsPerDay, clock, onSpend } = options;
  const today = toUtcDay(clock.now());
  // After a clock was set back, the recorded day may be tomorrow.
  const known = [today, today + 1].includes(options.spent?.day ?? Number.NaN) ? options.spent : undefined;
  let day = known?.day ?? today;
  let spent = known?.credits ?? 0;
  let endsAt = endOf(day);
  /** Independent of the day: a call that waits past midnight is paid with the new day's credits. */
  let reserved = 0;
  const settled = createChangeSignal();
  onSpend?.({ day, credits: spent });

  function endOf(date: number): number {
    return clock.monotonic() + Math.min((date + 1) * DAY_MS - clock.now(), DAY_MS);
  }

  function startNewDayIfOver(): void {
    if (clock.monotonic() < endsAt) return;
    day = Math.max(toUtcDay(clock.now()), day + 1);
    spent = 0;
    endsAt = endOf(day);
  }

  function settle(credits: number): void {
    reserved -= credits;
    settled.notify();
  }

  return {
    reserve(credits) {
      startNewDayIfOver();
      if (spent + reserved + credits > creditsPerDay) return false;
      reserved += credits;
      return true;
    },
    spend(credits) {
      startNewDayIfOver();
      spent += credits;
      onSpend?.({ day, credits: spent });
      settle(credits);
    },
    release: settle,
    isSpent(credits) {
      startNewDayIfOver();
      return spent + credits > creditsPerDay;
    },
    left() {
      startNewDayIfOver();
      return Math.max(0, creditsPerDay - spent);
    },
    changed: settled.next,
    secondsLeft() {
      startNewDayIfOver();
      return Math.ceil((endsAt - clock.monotonic()) / 1000);
    },
  };
}
