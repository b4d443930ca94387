import type { Clock } from '../../domain/clock.ts';
import { createChangeSignal } from './changeSignal.ts';

const DAY_MS = 86_400_000;

/** Credits spent on a UTC day. */
export interface Spending {
  /** Days since 1970-01-01. */
  readonly day: number;
  readonly credits: number;
}

/**
 * The credits that may be spent on one UTC day. They are set aside before a call waits for its turn, and spent, or
 * given back, when it has left or not; so what is spent and what is set aside never exceed the budget together.
 */
export interface CreditBudget {
  /** Sets `credits` aside; false when fewer are left, neither spent nor set aside. */
  reserve(credits: number): boolean;
  /** Spends credits that were set aside. */
  spend(credits: number): void;
  /** Gives back credits that were set aside. */
  release(credits: number): void;
  /** True when `credits` are not even there if all that is set aside is given back. */
  isSpent(credits: number): boolean;
  /** Resolves when credits that were set aside are spent or given back. */
  changed(): Promise<void>;
  /** Seconds until the day turns. */
  secondsLeft(): number;
}

/** What a budget starts from. */
export interface CreditBudgetOptions {
  readonly creditsPerDay: number;
  readonly clock: Clock;
  /** What was spent before the process started; counts when it is of today. */
  readonly spent?: Spending | undefined;
  /** Told what is spent, at the start and before each request that it pays for leaves. */
  readonly onSpend?: ((spent: Spending) => void) | undefined;
}

/**
 * Makes a budget that cannot be overshot. A day ends when as much time has passed on the monotonic clock as was left
 * of it, so that a wall clock that jumps neither opens the purse twice nor keeps it shut.
 */
export function createCreditBudget(options: CreditBudgetOptions): CreditBudget {
  const { creditsPerDay, clock, onSpend } = options;
  const today = Math.floor(clock.now() / DAY_MS);
  // A clock that was set back may have brought the process back to the day before.
  const known = [today, today + 1].includes(options.spent?.day ?? Number.NaN) ? options.spent : undefined;
  let day = known?.day ?? today;
  let spent = known?.credits ?? 0;
  let endsAt = endOf(day);
  /** Not of any day: what waits past midnight is paid for with the new day's credits. */
  let reserved = 0;
  const settled = createChangeSignal();
  onSpend?.({ day, credits: spent });

  function endOf(date: number): number {
    return clock.monotonic() + Math.min((date + 1) * DAY_MS - clock.now(), DAY_MS);
  }

  function turnDay(): void {
    if (clock.monotonic() < endsAt) return;
    day = Math.max(Math.floor(clock.now() / DAY_MS), day + 1);
    spent = 0;
    endsAt = endOf(day);
  }

  function settle(credits: number): void {
    reserved -= credits;
    settled.fire();
  }

  return {
    reserve(credits) {
      turnDay();
      if (spent + reserved + credits > creditsPerDay) return false;
      reserved += credits;
      return true;
    },
    spend(credits) {
      turnDay();
      spent += credits;
      onSpend?.({ day, credits: spent });
      settle(credits);
    },
    release: settle,
    isSpent(credits) {
      turnDay();
      return spent + credits > creditsPerDay;
    },
    changed: settled.next,
    secondsLeft() {
      turnDay();
      return Math.ceil((endsAt - clock.monotonic()) / 1000);
    },
  };
}
