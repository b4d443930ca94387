import type { Clock } from '../../src/domain/clock.ts';

export interface TestClock extends Clock {
  /** Lets time pass. */
  advance(ms: number): void;
  /** Sets the wall clock alone. */
  jump(ms: number): void;
}

/** A clock that stands still until it is told to go on; a sleep is over at once, and takes its time all the same. */
export function createTestClock(start = Date.UTC(2026, 0, 1)): TestClock {
  let elapsed = 0;
  let jumped = 0;
  return {
    now: () => start + elapsed + jumped,
    monotonic: () => 1 + elapsed,
    sleep: async (ms) => {
      const until = elapsed + ms;
      await new Promise(setImmediate);
      elapsed = Math.max(elapsed, until);
    },
    advance: (ms) => {
      elapsed += ms;
    },
    jump: (ms) => {
      jumped += ms;
    },
  };
}
