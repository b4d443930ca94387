import type { Clock } from '../../domain/clock.ts';

const DAY_MS = 86_400_000;

/** Credits spent on a UTC day. */
export interface Spending {
  /** Days since 1970-01-01. */
  readonly day: number;
  readonly credits: number;
}

/** Credits taken for one call. */
export interface Reservation {
  /** False when the day has turned since and the new one has nothing left; else the credits count for today. */
  confirm(): boolean;
  /** Gives them back: the call was not made. */
  release(): void;
}

/** The credits that may be spent on one UTC day. */
export interface CreditBudget {
  /** Takes `credits`; undefined when fewer are left. */
  reserve(credits: number): Reservation | undefined;
  /** Seconds until the day turns. */
  secondsLeft(): number;
}

/** What a budget starts from. */
export interface CreditBudgetOptions {
  readonly creditsPerDay: number;
  readonly clock: Clock;
  /** What was spent before the process started; counts when it is of today. */
  readonly spent?: Spending | undefined;
  /** Told of each change, before the credits are used. */
  readonly onChange?: ((spent: Spending) => void) | undefined;
}

/**
 * A budget that cannot be overshot: credits are taken before a call is made, in one step. A day ends when as much
 * time has passed on the monotonic clock as was left of it, so that a wall clock that jumps neither opens the
 * purse twice nor keeps it shut.
 */
export function createCreditBudget(options: CreditBudgetOptions): CreditBudget {
  const { creditsPerDay, clock, spent, onChange } = options;
  const today = Math.floor(clock.now() / DAY_MS);
  // A clock that was set back may have brought the process back to the day before.
  const isKnown = spent !== undefined && (spent.day === today || spent.day === today + 1);
  let { day, credits } = isKnown ? spent : { day: today, credits: 0 };
  let endsAt = endOf(day);

  function endOf(day: number): number {
    return clock.monotonic() + Math.min((day + 1) * DAY_MS - clock.now(), DAY_MS);
  }

  function turnDay(): void {
    if (clock.monotonic() < endsAt) return;
    day = Math.max(Math.floor(clock.now() / DAY_MS), day + 1);
    credits = 0;
    endsAt = endOf(day);
  }

  function take(amount: number): boolean {
    turnDay();
    if (credits + amount > creditsPerDay) return false;
    credits += amount;
    onChange?.({ day, credits });
    return true;
  }

  function reserve(amount: number): Reservation | undefined {
    if (!take(amount)) return undefined;
    const reservedOn = day;
    return {
      confirm: () => {
        turnDay();
        return day === reservedOn || take(amount);
      },
      release: () => {
        if (day !== reservedOn) return;
        credits -= amount;
        onChange?.({ day, credits });
      },
    };
  }

  function secondsLeft(): number {
    turnDay();
    return Math.ceil((endsAt - clock.monotonic()) / 1000);
  }

  return { reserve, secondsLeft };
}
