import { describe, expect, it } from '@jest/globals';
import { createRateLimit } from '../../../src/data/upstream/rateLimit.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import { pageEndpoint } from '../../../src/domain/page.ts';
import { statsEndpoint } from '../../../src/domain/videoStats.ts';
import { createCall, settle } from '../../support/cache.ts';
import { range } from '../../support/charts.ts';
import { createTestClock } from '../../support/clock.ts';
import {
  codeOf,
  createEvents,
  createHeldSource,
  createScript,
  key,
  type PageSource,
  page,
} from '../../support/sources.ts';

/** A source that responds at once, limited to `qps` calls a second, and the times of its calls. */
function createLimited(qps: number) {
  const clock = createTestClock();
  const times: number[] = [];
  const source: PageSource = async (_key, { onSent }) => {
    onSent();
    times.push(clock.monotonic());
    return page;
  };
  const limited = createRateLimit({ qps: () => qps, clock, onEvent: createEvents().onEvent })(
    source,
    pageEndpoint,
  );
  const call = (number: number) => limited(key(number), createCall());
  const expectNoMoreThanAllowed = (): void => {
    for (const [index, time] of times.slice(qps).entries()) {
      expect(time - (times[index] ?? 0)).toBeGreaterThanOrEqual(1000);
    }
  };
  return { clock, times, call, expectNoMoreThanAllowed };
}

describe('createRateLimit', () => {
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
    const limited = createRateLimit({ qps: () => 2, clock, onEvent: createEvents().onEvent })(
      source,
      pageEndpoint,
    );
    const all = Promise.all(range(1, 3).map((number) => limited(key(number), createCall())));
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
    const unsent: PageSource = async () => {
      throw new ApiError('UPSTREAM_UNAVAILABLE');
    };
    const limited = createRateLimit({ qps: () => 1, clock, onEvent: createEvents().onEvent })(
      unsent,
      pageEndpoint,
    );
    for (let time = 0; time < 3; time++) await codeOf(limited(key(), createCall()));
    expect(clock.monotonic()).toBe(1);
  });

  it('does not make a call that is no longer wanted when its turn comes', async () => {
    const clock = createTestClock();
    const { source, bill } = createScript(page);
    const limited = createRateLimit({ qps: () => 1, clock, onEvent: createEvents().onEvent })(
      source,
      pageEndpoint,
    );
    await limited(key(1), createCall());
    const controller = new AbortController();
    const waiting = codeOf(limited(key(2), createCall({ signal: controller.signal })));
    controller.abort(new ApiError('UPSTREAM_QUOTA_EXCEEDED'));
    expect(await waiting).toBe('UPSTREAM_QUOTA_EXCEEDED');
    expect(clock.monotonic()).toBeGreaterThan(500);
    expect(bill).toEqual([1]);
  });

  it('rejects a call whose turn would come after its deadline, and gives that turn to the next call', async () => {
    const clock = createTestClock();
    const { source, bill } = createScript(page);
    const { events, onEvent } = createEvents();
    const limited = createRateLimit({ qps: () => 1, clock, onEvent })(source, pageEndpoint);
    await limited(key(1), createCall());
    const deadline = clock.monotonic() + 500;
    expect(await codeOf(limited(key(2), createCall({ deadline: () => deadline })))).toBe(
      'UPSTREAM_UNAVAILABLE',
    );
    expect(events).toEqual([
      { type: 'callShed', endpoint: 'trendingVideos', key: { chart: 'US:7:VIEWS', page: 2 } },
    ]);
    await limited(key(3), createCall());
    expect(clock.monotonic()).toBe(1011);
    expect(bill).toEqual([1, 3]);
  });

  describe('with calls of several priorities', () => {
    /** A limit of one call a second, whose endpoints respond at once, and what was called, when. */
    function createMixed(respond = async (): Promise<void> => undefined) {
      const clock = createTestClock();
      const called: { readonly what: string; readonly at: number }[] = [];
      const limit = createRateLimit({ qps: () => 1, clock, onEvent: createEvents().onEvent });
      const record = async (what: string): Promise<void> => {
        called.push({ what, at: clock.monotonic() });
        await respond();
      };
      const keys = { toId: (what: string) => what, describe: (what: string) => ({ what }) };
      const callPage = limit(record, { ...pageEndpoint, ...keys });
      const callStats = limit(record, { ...statsEndpoint, ...keys });
      return { clock, called, callPage, callStats };
    }

    it('makes that of a page first, however many others have waited for longer', async () => {
      const { called, callPage, callStats } = createMixed();
      const calls = range(1, 8).map((number) => callStats(`numbers ${number}`, createCall()));
      await Promise.all([...calls, callPage('page', createCall())]);
      expect(called.map(({ what }) => what).slice(0, 3)).toEqual(['numbers 1', 'page', 'numbers 2']);
      expect(called).toHaveLength(9);
      for (const [index, { at }] of called.slice(1).entries())
        expect(at - (called[index]?.at ?? 0)).toBeGreaterThanOrEqual(1000);
    });

    it('makes those of operations before refreshes', async () => {
      const { called, callPage, callStats } = createMixed();
      await callPage('first', createCall());
      await Promise.all([
        callPage('refresh', createCall({ background: true })),
        callStats('numbers', createCall()),
      ]);
      expect(called.map(({ what }) => what)).toEqual(['first', 'numbers', 'refresh']);
    });

    it('does not wait for one that is not wanted any more', async () => {
      const { clock, called, callPage, callStats } = createMixed();
      await callPage('first', createCall());
      const controller = new AbortController();
      const page = codeOf(callPage('page', createCall({ signal: controller.signal })));
      const numbers = callStats('numbers', createCall());
      controller.abort(new ApiError('UPSTREAM_QUOTA_EXCEEDED'));
      expect(await page).toBe('UPSTREAM_QUOTA_EXCEEDED');
      await numbers;
      expect(called.map(({ what }) => what)).toEqual(['first', 'numbers']);
      expect(clock.monotonic()).toBe(1011);
    });

    it('rejects one whose deadline has passed while others went first', async () => {
      const { clock, called, callPage, callStats } = createMixed();
      await callPage('first', createCall());
      const pages = range(1, 3).map((number) => callPage(`page ${number}`, createCall()));
      const deadline = clock.monotonic() + 2000;
      const numbers = codeOf(callStats('numbers', createCall({ deadline: () => deadline })));
      expect(await numbers).toBe('UPSTREAM_UNAVAILABLE');
      await Promise.all(pages);
      expect(called.map(({ what }) => what)).toEqual(['first', 'page 1', 'page 2', 'page 3']);
    });

    it('lets them take their turns when calls in flight end', async () => {
      let end = (): void => undefined;
      const ended = new Promise<void>((resolve) => {
        end = resolve;
      });
      const { called, callPage, callStats } = createMixed(() => ended);
      const calls = [callPage('first', createCall()), callStats('numbers', createCall())];
      await settle();
      calls.push(callPage('page', createCall()));
      await settle();
      expect(called).toHaveLength(1);
      end();
      await Promise.all(calls);
      expect(called.map(({ what }) => what)).toEqual(['first', 'page', 'numbers']);
    });
  });
});
