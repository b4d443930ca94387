import { describe, expect, it } from '@jest/globals';
import { DAY_MS } from '../../src/domain/utcDay.ts';
import { createReadiness } from '../../src/observe/readiness.ts';
import { createTestClock } from '../support/clock.ts';

describe('the condition', () => {
  let now = 0;
  const clock = { ...createTestClock(), now: () => now, monotonic: () => now };

  it('has the breaker open until it is told that it closed, or a probe may be sent', () => {
    now = 0;
    const { onEvent, read } = createReadiness(clock, undefined);
    expect(read(undefined)).toEqual({ breaker: 'closed' });
    onEvent({ type: 'circuitOpened', code: 'UPSTREAM_ERROR', seconds: 30 });
    expect(read(undefined)).toEqual({ breaker: 'open' });
    now = 30_000;
    expect(read(undefined)).toEqual({ breaker: 'closed' });
    onEvent({ type: 'circuitOpened', code: 'UPSTREAM_ERROR', seconds: 30 });
    onEvent({ type: 'circuitClosed' });
    expect(read(undefined)).toEqual({ breaker: 'closed' });
  });

  it('has the budget spent when no call can be paid for, until the day turns', () => {
    now = 3 * DAY_MS;
    const { onEvent, read } = createReadiness(clock, 5);
    expect(read(undefined)).toMatchObject({ budget: 'left' });
    onEvent({ type: 'budgetSpent', day: 3, credits: 2 });
    expect(read(undefined)).toMatchObject({ budget: 'left' });
    onEvent({ type: 'budgetSpent', day: 3, credits: 4 });
    expect(read(undefined)).toMatchObject({ budget: 'spent' });
    now = 4 * DAY_MS;
    expect(read(undefined)).toMatchObject({ budget: 'left' });
  });

  it('does not know the budget while Redis, which keeps it, is away', () => {
    const { read } = createReadiness(clock, 5);
    expect(read(true)).toEqual({ redis: 'up', breaker: 'closed', budget: 'left' });
    expect(read(false)).toEqual({ redis: 'down', breaker: 'closed', budget: 'unknown' });
  });
});
