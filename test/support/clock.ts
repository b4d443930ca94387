import type { Clock } from '../../src/domain/clock.ts';

export interface TestClock extends Clock {
  /** Lets time pass. */
  advance(ms: number): void;
  /** Sets the wall clock alone. */
  jump(ms: number): void;
  /** Lets the deadlines that were set for up to `ms` expire: none does by itself, whatever the time is. */
  expireDeadlines(ms: number): void;
  /** For how long each deadline was set that has not expired. */
  deadlines(): number[];
}

/** A clock that stands still until it is told to go on; a sleep is over at once, and takes its time all the same. */
export function createTestClock(start = Date.UTC(2026, 0, 1)): TestClock {
  let elapsed = 0;
  let jumped = 0;
  const deadlines = new Map<object, { readonly ms: number; readonly expire: () => void }>();
  // Of all that Node's own can do, p-timeout asks for this alone.
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
