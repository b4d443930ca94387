import { uptime } from 'node:os';
import type { Clock } from '../domain/clock.ts';

/** Times in milliseconds, as the operating system gives them. */
interface SystemTimes {
  /** Unix time, which may be set. */
  readonly wall: () => number;
  /** Since the process started, without the time in which the machine was suspended. */
  readonly running: () => number;
  /** Since the machine was started, suspended or not. Slow to read. */
  readonly booted: () => number;
}

/** By how much the wall clock must jump ahead before the difference counts as suspended time. */
const TOLERANCE_MS = 1000;
/** How often the wall clock is read: a request reads this clock several times. */
const CHECK_MS = 1;

/**
 * Creates a monotonic clock that also counts the time in which the machine was suspended: what was cached before that has
 * aged meanwhile. It checks for suspended time when the wall clock is ahead, which may also mean that the clock was
 * set.
 */
export function createMonotonicClock({ wall, running, booted }: SystemTimes): () => number {
  const bootedBefore = booted() - running();
  let lead = wall() - running();
  let suspendedMs = 0;
  let checkedAt = Number.NEGATIVE_INFINITY;

  return () => {
    const now = running();
    if (now < checkedAt + CHECK_MS) return now + suspendedMs;
    checkedAt = now;
    const newLead = wall() - now;
    if (newLead > lead + TOLERANCE_MS) {
      const ms = booted() - now - bootedBefore;
      if (ms > suspendedMs + TOLERANCE_MS) suspendedMs = ms;
    }
    lead = newLead;
    return now + suspendedMs;
  };
}

/** The clock of the process. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: createMonotonicClock({
    wall: () => Date.now(),
    running: () => performance.now(),
    booted: () => uptime() * 1000,
  }),
  sleep: (ms) => new Promise((resolve) => void setTimeout(resolve, ms)),
  timers: globalThis,
};
