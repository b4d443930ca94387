import { describe, expect, it } from '@jest/globals';
import { createCondition } from '../src/condition.ts';

const DAY_MS = 86_400_000;

describe('the condition', () => {
  let now = 0;
  const clock = { now: () => now, monotonic: () => now, sleep: async () => undefined };

  it('has the breaker open until it is told that it closed, or a probe may be sent', () => {
    now = 0;
    const { onEvent, read } = createCondition({ clock, creditsPerDay: undefined, isRedisUp: undefined });
    expect(read()).toEqual({ breaker: 'closed' });
    onEvent({ type: 'circuitOpened', code: 'UPSTREAM_ERROR', seconds: 30 });
    expect(read()).toEqual({ breaker: 'open' });
    now = 30_000;
    expect(read()).toEqual({ breaker: 'closed' });
    onEvent({ type: 'circuitOpened', code: 'UPSTREAM_ERROR', seconds: 30 });
    onEvent({ type: 'circuitClosed' });
    expect(read()).toEqual({ breaker: 'closed' });
  });

  it('has the budget spent when no call can be paid for, until the day turns', () => {
    now = 3 * DAY_MS;
    const { onEvent, read } = createCondition({ clock, creditsPerDay: 5, isRedisUp: undefined });
    expect(read()).toMatchObject({ budget: 'left' });
    onEvent({ type: 'budgetSpent', day: 3, credits: 2 });
    expect(read()).toMatchObject({ budget: 'left' });
    onEvent({ type: 'budgetSpent', day: 3, credits: 4 });
    expect(read()).toMatchObject({ budget: 'spent' });
    now = 4 * DAY_MS;
    expect(read()).toMatchObject({ budget: 'left' });
  });

  it('does not know the budget while Redis, which keeps it, is away', () => {
    let isUp = true;
    const { read } = createCondition({ clock, creditsPerDay: 5, isRedisUp: () => isUp });
    expect(read()).toEqual({ redis: 'up', breaker: 'closed', budget: 'left' });
    isUp = false;
    expect(read()).toEqual({ redis: 'down', breaker: 'closed', budget: 'unknown' });
  });
});
