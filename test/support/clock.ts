import type { Clock } from '../../src/domain/clock.ts';

/** A clock that stands still until it is told to go on. */
export function createTestClock(): Clock & { advance(ms: number): void } {
  let elapsed = 0;
  return {
    now: () => Date.UTC(2026, 0, 1) + elapsed,
    monotonic: () => 1 + elapsed,
    advance: (ms) => {
      elapsed += ms;
    },
  };
}
