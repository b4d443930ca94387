import { describe, expect, it } from '@jest/globals';
import { createUpstreamLayers } from '../../src/compose/upstreamLayers.ts';
import { loadConfig } from '../../src/config/loadConfig.ts';
import type { Endpoint } from '../../src/domain/endpoint.ts';
import { ApiError } from '../../src/domain/errors.ts';
import { pageEndpoint } from '../../src/domain/page.ts';
import type { Source } from '../../src/domain/source.ts';
import { createCall, settle } from '../support/cache.ts';
import { range } from '../support/charts.ts';
import { createTestClock } from '../support/clock.ts';
import { codeOf, createEvents, createHeldSource, key, page, sent } from '../support/sources.ts';

it('lets as many calls wait as can be sent before their operations time out', async () => {
  const { source, started, calls } = createHeldSource();
  const { events, onEvent } = createEvents();
  const config = loadConfig({ KEYAPI_QPS: '5', KEYAPI_CONCURRENCY: '2', OPERATION_TIMEOUT_MS: '2000' });
  const layers = createUpstreamLayers({ config, clock: createTestClock(), random: () => 0, onEvent });
  const fetch = layers.wrap(source, pageEndpoint);
  const outcomes = range(1, 20).map((number) => codeOf(fetch(key(number), createCall())));
  await settle();
  expect(started).toEqual([1, 2]);
  // 2 in flight, 10 waiting.
  expect(events.filter(({ type }) => type === 'callShed')).toHaveLength(8);
  for (let turn = 0; turn < 12; turn++) {
    for (const { resolve } of calls) resolve(page);
    await settle();
  }
  expect((await Promise.all(outcomes)).filter((code) => code === 'ok')).toHaveLength(12);
});

describe('layers of two endpoints', () => {
  /** An endpoint at half the price of a page, whose keys are numbers. */
  const other: Endpoint<number> = {
    name: 'other',
    credits: 1,
    priority: 0,
    pauses: { codes: ['UPSTREAM_FORBIDDEN'], maxSeconds: 60 },
    toId: String,
    describe: (number) => ({ number }),
  };

  /** Layers around a source of each endpoint, which fails with `error` if there is one. */
  function createBoth(variables: Record<string, string> = {}) {
    const clock = createTestClock(Date.UTC(2026, 0, 1, 12));
    const { events, onEvent } = createEvents();
    const config = loadConfig({ KEYAPI_QPS: '1000', ...variables });
    const { wrap, state, isStopped } = createUpstreamLayers({ config, clock, random: () => 0, onEvent });
    const bill: string[] = [];
    const errors = new Map<string, ApiError>();
    const toSource =
      <Key, Value>({ name }: Endpoint<Key>, value: Value): Source<Key, Value> =>
      async (_key, { onSent }) => {
        onSent();
        bill.push(name);
        const error = errors.get(name);
        if (error) throw sent(error);
        return value;
      };
    const fetchPage = wrap(toSource(pageEndpoint, page), pageEndpoint);
    const fetchOther = wrap(toSource(other, 'value'), other);
    return {
      clock,
      events,
      state,
      bill,
      errors,
      askPage: (number = 1) => codeOf(fetchPage(key(number), createCall())),
      askOther: (number = 1) => codeOf(fetchOther(number, createCall())),
      stopped: () => [isStopped(pageEndpoint), isStopped(other)],
    };
  }

  it('let a call go before all those of a lower priority that wait for the rate limit', async () => {
    const { clock, bill, askPage, askOther } = createBoth({ KEYAPI_QPS: '1', KEYAPI_CONCURRENCY: '8' });
    const others = range(1, 8).map(askOther);
    await askPage();
    expect(bill).toEqual(['other', 'trendingVideos']);
    expect(clock.monotonic()).toBeLessThan(1100);
    await Promise.all(others);
    expect(bill).toHaveLength(9);
  });

  it.each(['UPSTREAM_UNAUTHENTICATED', 'UPSTREAM_QUOTA_EXCEEDED', 'UPSTREAM_RATE_LIMITED'] as const)(
    'stop the calls to both after %s, which is about the account',
    async (code) => {
      const { errors, bill, state, askPage, askOther } = createBoth();
      errors.set('other', new ApiError(code));
      expect([await askOther(), await askPage(), await askOther(2)]).toEqual([code, code, code]);
      expect(bill).toEqual(['other']);
      expect(state.openCircuits()).toEqual([{ endpoint: undefined, code }]);
    },
  );

  it('stop the calls to one endpoint after a 403, not those to the other', async () => {
    const { errors, bill, state, askPage, askOther } = createBoth();
    errors.set('other', new ApiError('UPSTREAM_FORBIDDEN'));
    expect([await askOther(), await askOther(2), await askPage()]).toEqual([
      'UPSTREAM_FORBIDDEN',
      'UPSTREAM_FORBIDDEN',
      'ok',
    ]);
    expect(bill).toEqual(['other', 'trendingVideos']);
    expect(state.openCircuits()).toEqual([{ endpoint: 'other', code: 'UPSTREAM_FORBIDDEN' }]);
  });

  it('count failures in a row for each endpoint', async () => {
    const { errors, events, askPage, askOther } = createBoth();
    errors.set('other', new ApiError('UPSTREAM_ERROR'));
    for (const number of range(1, 5)) {
      await askOther(number);
      await askPage(number);
    }
    expect([await askOther(6), await askPage(6)]).toEqual(['UPSTREAM_UNAVAILABLE', 'ok']);
    expect(events.filter(({ type }) => type === 'circuitOpened')).toEqual([
      { type: 'circuitOpened', endpoint: 'other', code: 'UPSTREAM_UNAVAILABLE', seconds: 30 },
    ]);
  });

  it('say which endpoint is stopped, until its pause is over', async () => {
    const { clock, errors, askOther, stopped } = createBoth();
    expect(stopped()).toEqual([false, false]);
    errors.set('other', new ApiError('UPSTREAM_ERROR'));
    for (const number of range(1, 5)) await askOther(number);
    expect(stopped()).toEqual([false, true]);
    clock.advance(29_999);
    expect(stopped()).toEqual([false, true]);
    clock.advance(1);
    expect(stopped()).toEqual([false, false]);
    errors.set('other', new ApiError('UPSTREAM_QUOTA_EXCEEDED'));
    await askOther(6);
    expect(stopped()).toEqual([true, true]);
  });

  it('let a probe that finds the account refused say nothing about the endpoint', async () => {
    const { clock, errors, events, bill, state, askOther } = createBoth();
    errors.set('other', new ApiError('UPSTREAM_ERROR'));
    for (const number of range(1, 5)) await askOther(number);
    clock.advance(30_000);
    errors.set('other', new ApiError('UPSTREAM_QUOTA_EXCEEDED'));
    expect(await askOther(6)).toBe('UPSTREAM_QUOTA_EXCEEDED');
    expect(state.openCircuits()).toEqual([{ endpoint: undefined, code: 'UPSTREAM_QUOTA_EXCEEDED' }]);
    clock.advance(60_000);
    errors.delete('other');
    expect(await askOther(7)).toBe('ok');
    expect(bill).toHaveLength(7);
    expect(events.map(({ type }) => type)).toEqual([
      'circuitOpened',
      'circuitOpened',
      'circuitClosed',
      'circuitClosed',
    ]);
  });

  it('let a failing probe of the account stop the calls to its endpoint alone', async () => {
    const { clock, errors, state, askPage, askOther } = createBoth();
    errors.set('other', new ApiError('UPSTREAM_QUOTA_EXCEEDED'));
    await askOther();
    clock.advance(60_000);
    errors.set('other', new ApiError('UPSTREAM_ERROR'));
    expect([await askOther(2), await askOther(3), await askPage()]).toEqual([
      'UPSTREAM_ERROR',
      'UPSTREAM_UNAVAILABLE',
      'ok',
    ]);
    expect(state.openCircuits()).toEqual([{ endpoint: 'other', code: 'UPSTREAM_UNAVAILABLE' }]);
  });

  it.each([
    ['UPSTREAM_ERROR', 503],
    ['UPSTREAM_BAD_RESPONSE', 302],
  ] as const)('call no more often when %s (%i) asks for a pause of a second', async (code, status) => {
    const upstream = { status, code: null, requestId: null };
    const allowsSecondAttempt = code === 'UPSTREAM_ERROR';
    const countCalls = async (retryAfterSeconds: number | undefined): Promise<number> => {
      const { clock, errors, bill, askOther } = createBoth();
      errors.set('other', new ApiError(code, { upstream, allowsSecondAttempt, retryAfterSeconds }));
      const end = clock.monotonic() + 600_000;
      while (clock.monotonic() < end) {
        await askOther();
        clock.advance(1000);
      }
      return bill.length;
    };
    expect(await countCalls(1)).toBeLessThanOrEqual(await countCalls(undefined));
  });

  it('spend one budget, each at its own price', async () => {
    const { bill, state, askPage, askOther } = createBoth({ CREDIT_BUDGET_PER_DAY: '4' });
    expect([
      await askPage(),
      await askOther(),
      await askPage(2),
      await askOther(2),
      await askOther(3),
    ]).toEqual(['ok', 'ok', 'CREDIT_BUDGET_EXHAUSTED', 'ok', 'CREDIT_BUDGET_EXHAUSTED']);
    expect(bill).toEqual(['trendingVideos', 'other', 'other']);
    expect(state.creditsLeft()).toBe(0);
  });
});
