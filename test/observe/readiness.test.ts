import { describe, expect, it } from '@jest/globals';
import { DAY_MS } from '../../src/domain/utcDay.ts';
import { createReadiness } from '../../src/observe/readiness.ts';
import { createTestClock } from '../support/clock.ts';

describe('readiness', () => {
  let now = 0;
  const clock = { ...createTestClock(), now: () => now, monotonic: () => now };

  it('reports the breaker as open until it closes or a probe may be sent', () => {
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

  it('reports the budget as spent when it does not cover another call, until the next UTC day', () => {
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

  it('reports the budget as unknown while Redis, which stores it, is down', () => {
    const { read } = createReadiness(clock, 5);
    expect(read(true)).toEqual({ redis: 'up', breaker: 'closed', budget: 'left' });
    expect(read(false)).toEqual({ redis: 'down', breaker: 'closed', budget: 'unknown' });
  });
});
