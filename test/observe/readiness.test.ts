import { describe, expect, it } from '@jest/globals';
import { createMonotonicClock } from '../../src/compose/systemClock.ts';
import { createEndpointBreaker } from '../../src/data/upstream/circuitBreaker.ts';
import { createCreditBudget } from '../../src/data/upstream/creditBudget.ts';
import type { LimitsState } from '../../src/data/upstream/limitsState.ts';
import { ApiError } from '../../src/domain/errors.ts';
import { pageEndpoint } from '../../src/domain/page.ts';
import { DAY_MS } from '../../src/domain/utcDay.ts';
import { statsEndpoint } from '../../src/domain/videoStats.ts';
import { describeReadiness } from '../../src/observe/readiness.ts';
import { createCall } from '../support/cache.ts';
import { createTestClock } from '../support/clock.ts';
import { codeOf, createScript, key, page } from '../support/sources.ts';

const HOUR_MS = 3_600_000;
const NOTHING: LimitsState = { openCircuits: () => [], creditsLeft: () => undefined };

describe('readiness', () => {
  it('reports the breaker as open until it closes or a probe may be sent', async () => {
    const clock = createTestClock();
    const { source } = createScript(...Array<ApiError>(6).fill(new ApiError('UPSTREAM_ERROR')), page);
    const breaker = createEndpointBreaker(pageEndpoint, { clock, onEvent: () => undefined });
    const fetch = breaker.protect(source);
    const openCircuits = () => breaker.circuit.state();
    const read = () => describeReadiness({ ...NOTHING, openCircuits }, undefined);
    expect(read()).toEqual({ breaker: 'closed' });
    for (let call = 0; call < 5; call++) await codeOf(fetch(key(), createCall()));
    expect(read()).toEqual({ breaker: 'open' });
    clock.advance(30_000);
    expect(read()).toEqual({ breaker: 'closed' });
    await codeOf(fetch(key(), createCall()));
    expect(read()).toEqual({ breaker: 'open' });
    clock.advance(30_000);
    expect(await codeOf(fetch(key(), createCall()))).toBe('ok');
    expect(read()).toEqual({ breaker: 'closed' });
  });

  it.each([
    ['the account', undefined, 'open'],
    ['pages', pageEndpoint.name, 'open'],
    ['numbers', statsEndpoint.name, 'closed'],
  ])('reports the breaker for a stop of the calls for %s', (_, endpoint, breaker) => {
    const openCircuits = () => [{ endpoint, code: 'UPSTREAM_FORBIDDEN' } as const];
    expect(describeReadiness({ ...NOTHING, openCircuits }, undefined)).toEqual({ breaker });
  });

  it('reports the budget as spent when it does not cover another call, until the next UTC day', () => {
    const clock = createTestClock(3 * DAY_MS);
    const budget = createCreditBudget({ creditsPerDay: 5, clock });
    const read = () => describeReadiness({ ...NOTHING, creditsLeft: () => budget.left() }, undefined);
    expect(read()).toMatchObject({ budget: 'left' });
    for (const expected of ['left', 'spent']) {
      budget.reserve(2);
      budget.spend(2);
      expect(read()).toMatchObject({ budget: expected });
    }
    clock.advance(DAY_MS);
    expect(read()).toMatchObject({ budget: 'left' });
  });

  it('reports, as the budget does, that a day has ended in which the machine was suspended', () => {
    const times = { wall: 3 * DAY_MS + 23 * HOUR_MS, running: 500, booted: 9 * HOUR_MS };
    const monotonic = createMonotonicClock({
      wall: () => times.wall,
      running: () => times.running,
      booted: () => times.booted,
    });
    const clock = { ...createTestClock(), now: () => times.wall, monotonic };
    const budget = createCreditBudget({ creditsPerDay: 2, clock });
    const read = () => describeReadiness({ ...NOTHING, creditsLeft: () => budget.left() }, undefined);
    budget.reserve(2);
    budget.spend(2);
    expect([read().budget, budget.isSpent(2)]).toEqual(['spent', true]);
    times.wall += 2 * HOUR_MS;
    times.booted += 2 * HOUR_MS;
    times.running += 1;
    expect([read().budget, budget.isSpent(2)]).toEqual(['left', false]);
    expect(budget.secondsLeft()).toBe(23 * 3600);
  });

  it('reports the budget as unknown while Redis, which stores it, is down', () => {
    const limits = { ...NOTHING, creditsLeft: () => 5 };
    expect(describeReadiness(limits, true)).toEqual({ redis: 'up', breaker: 'closed', budget: 'left' });
    expect(describeReadiness(limits, false)).toEqual({ redis: 'down', breaker: 'closed', budget: 'unknown' });
  });
});
