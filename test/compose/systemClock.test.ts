import { expect, it } from '@jest/globals';
import { createMonotonicClock, systemClock } from '../../src/compose/systemClock.ts';

const HOUR = 3_600_000;

/** A machine that has run for a while, and the clock of a process on it. */
function createMachine() {
  const times = { wall: Date.UTC(2026, 0, 1), running: 500, booted: 9 * HOUR };
  const monotonic = createMonotonicClock({
    wall: () => times.wall,
    running: () => times.running,
    booted: () => times.booted,
  });
  const pass = (ms: number): void => {
    times.wall += ms;
    times.running += ms;
    times.booted += ms;
  };
  const suspend = (ms: number): void => {
    times.wall += ms;
    times.booted += ms;
  };
  return { times, monotonic, pass, suspend };
}

it('counts the time that passes, and that in which the machine was suspended', () => {
  const { monotonic, pass, suspend } = createMachine();
  const start = monotonic();
  pass(1000);
  expect(monotonic() - start).toBe(1000);
  suspend(8 * HOUR);
  pass(1);
  expect(monotonic() - start).toBe(8 * HOUR + 1001);
  suspend(HOUR);
  pass(1);
  expect(monotonic() - start).toBe(9 * HOUR + 1002);
});

it('ignores that the wall clock was set', () => {
  const { times, monotonic, pass, suspend } = createMachine();
  const start = monotonic();
  for (const ms of [8 * HOUR, -20 * HOUR, 3 * HOUR]) {
    times.wall += ms;
    const before = monotonic();
    pass(1);
    expect(monotonic() - before).toBe(1);
  }
  suspend(HOUR);
  pass(1);
  expect(monotonic() - start).toBe(HOUR + 4);
});

it('does not count the imprecision of the other clocks', () => {
  const { times, monotonic, pass } = createMachine();
  const start = monotonic();
  times.booted += 900;
  times.wall += 1100;
  pass(1000);
  expect(monotonic() - start).toBe(1000);
});

it('never goes back', () => {
  let last = systemClock.monotonic();
  for (let time = 0; time < 1000; time++) {
    const now = systemClock.monotonic();
    expect(now).toBeGreaterThanOrEqual(last);
    last = now;
  }
});
