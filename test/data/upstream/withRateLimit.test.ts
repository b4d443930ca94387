import { describe, expect, it } from '@jest/globals';
import { withRateLimit } from '../../../src/data/upstream/withRateLimit.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import type { PageSource } from '../../../src/domain/page.ts';
import { fetchOptions, settle } from '../../support/cache.ts';
import { range, US_VIEWS } from '../../support/charts.ts';
import { createTestClock } from '../../support/clock.ts';
import { codeOf, createEvents, createHeldSource, createScript, key, page } from '../../support/sources.ts';

/** A source that responds at once, limited to `qps` calls a second, and the times of its calls. */
function createLimited(qps: number) {
  const clock = createTestClock();
  const times: number[] = [];
  const source: PageSource = async (_key, { onRequest }) => {
    onRequest();
    times.push(clock.monotonic());
    return page;
  };
  const limited = withRateLimit(source, { qps: () => qps, clock, onEvent: createEvents().onEvent });
  const call = (number: number) => limited(key(number), fetchOptions());
  const expectNoMoreThanAllowed = (): void => {
    for (const [index, time] of times.slice(qps).entries()) {
      expect(time - (times[index] ?? 0)).toBeGreaterThanOrEqual(1000);
    }
  };
  return { clock, times, call, expectNoMoreThanAllowed };
}

describe('withRateLimit', () => {
  it('makes at most `qps` calls in any second', async () => {
    const { clock, times, call, expectNoMoreThanAllowed } = createLimited(3);
    for (const number of range(1, 10)) {
      await call(number);
      clock.advance(50);
    }
    expectNoMoreThanAllowed();
    // Nor too few: ten calls at three a second take a little over three seconds.
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThan(3500);
  });

  it('limits calls that arrive at the same time', async () => {
    const { times, call, expectNoMoreThanAllowed } = createLimited(2);
    await Promise.all(range(1, 8).map(call));
    expect(times).toHaveLength(8);
    expectNoMoreThanAllowed();
  });

  it('counts a call until a second after its response: it may have reached upstream only just before', async () => {
    const clock = createTestClock();
    const { source, started, calls } = createHeldSource();
    const limited = withRateLimit(source, { qps: () => 2, clock, onEvent: createEvents().onEvent });
    const all = Promise.all(range(1, 3).map((number) => limited(key(number), fetchOptions())));
    await settle();
    clock.advance(5000);
    await settle();
    expect(started).toEqual([1, 2]);
    calls[0]?.resolve(page);
    await settle();
    expect(started).toEqual([1, 2, 3]);
    expect(clock.monotonic()).toBeGreaterThanOrEqual(5001 + 1000);
    for (const { resolve } of calls) resolve(page);
    await all;
  });

  it('does not count a call that was never sent', async () => {
    const clock = createTestClock();
    const limited = withRateLimit(
      async () => {
        throw new ApiError('UPSTREAM_UNAVAILABLE');
      },
      { qps: () => 1, clock, onEvent: createEvents().onEvent },
    );
    for (let time = 0; time < 3; time++) await codeOf(limited(key(), fetchOptions()));
    expect(clock.monotonic()).toBe(1);
  });

  it('does not make a call that is no longer wanted when its turn comes', async () => {
    const clock = createTestClock();
    const { source, bill } = createScript(page);
    const limited = withRateLimit(source, { qps: () => 1, clock, onEvent: createEvents().onEvent });
    await limited(key(1), fetchOptions());
    const check = (): void => {
      if (clock.monotonic() > 500) throw new ApiError('UPSTREAM_QUOTA_EXCEEDED');
    };
    expect(await codeOf(limited(key(2), fetchOptions({ check })))).toBe('UPSTREAM_QUOTA_EXCEEDED');
    expect(bill).toEqual([1]);
  });

  it('rejects a call whose turn would come after its deadline, and gives that turn to the next call', async () => {
    const clock = createTestClock();
    const { source, bill } = createScript(page);
    const { events, onEvent } = createEvents();
    const limited = withRateLimit(source, { qps: () => 1, clock, onEvent });
    await limited(key(1), fetchOptions());
    const deadline = clock.monotonic() + 500;
    expect(await codeOf(limited(key(2), fetchOptions({ deadline: () => deadline })))).toBe(
      'UPSTREAM_UNAVAILABLE',
    );
    expect(events).toEqual([{ type: 'pageShed', chart: US_VIEWS, page: 2 }]);
    await limited(key(3), fetchOptions());
    expect(clock.monotonic()).toBe(1011);
    expect(bill).toEqual([1, 3]);
  });
});
