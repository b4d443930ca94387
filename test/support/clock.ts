import type { Clock } from '../../src/domain/clock.ts';

export interface TestClock extends Clock {
  /** Lets time pass, for both clocks. */
  advance(ms: number): void;
  /** Moves the wall clock only. */
  jump(ms: number): void;
  /** Expires the deadlines that were set for up to `ms`. None expires by itself when time passes. */
  expireDeadlines(ms: number): void;
  /** The duration of each deadline that has not expired, in milliseconds. */
  deadlines(): number[];
}

/** A clock that stands still until it is advanced. A sleep ends at once, and advances it by its duration. */
export function createTestClock(start = Date.UTC(2026, 0, 1)): TestClock {
  let elapsed = 0;
  let jumped = 0;
  const deadlines = new Map<object, { readonly ms: number; readonly expire: () => void }>();
  // The only part of Node's timers that p-timeout uses.
  const timers = {
    setTimeout: (expire: () => void, ms: number): object => {
      const timer = {};
      deadlines.set(timer, { ms, expire });
      return timer;
    },
    clearTimeout: (timer: object): void => void deadlines.delete(timer),
  } as unknown as Clock['timers'];
  return {
    now: () => start + elapsed + jumped,
    monotonic: () => 1 + elapsed,
    sleep: async (ms) => {
      const until = elapsed + ms;
      await new Promise(setImmediate);
      elapsed = Math.max(elapsed, until);
    },
    timers,
    advance: (ms) => {
      elapsed += ms;
    },
    jump: (ms) => {
      jumped += ms;
    },
    deadlines: () => [...deadlines.values()].map(({ ms }) => ms),
    expireDeadlines: (ms) => {
      const due = [...deadlines].filter(([, deadline]) => deadline.ms <= ms);
      for (const [timer, { expire }] of due) {
        deadlines.delete(timer);
        expire();
      }
    },
  };
}
