import { describe, expect, it } from '@jest/globals';
import { withRetry } from '../../../src/data/upstream/withRetry.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import { pageEndpoint } from '../../../src/domain/page.ts';
import { createCall } from '../../support/cache.ts';
import { createTestClock } from '../../support/clock.ts';
import {
  codeOf,
  createEvents,
  createScript,
  key,
  type PageSource,
  page,
  sent,
} from '../../support/sources.ts';

describe('withRetry', () => {
  const refused = new ApiError('UPSTREAM_UNAVAILABLE', { allowsSecondAttempt: true });
  const broken = new ApiError('UPSTREAM_ERROR', { allowsSecondAttempt: true });

  function createRetry(source: PageSource, random = () => 0) {
    const clock = createTestClock();
    const { events, onEvent } = createEvents();
    return { clock, events, fetch: withRetry(source, pageEndpoint, { clock, random, onEvent }) };
  }

  it.each([
    [0, 500],
    [0.5, 1750],
    [1, 3000],
  ])(
    'retries a retryable call once, after a pause (random value %p: %i ms), and emits an event',
    async (value, pauseMs) => {
      const { source, bill } = createScript(broken, page);
      const { clock, events, fetch } = createRetry(source, () => value);
      let requests = 0;
      expect(await codeOf(fetch(key(), createCall({ onSent: () => requests++ })))).toBe('ok');
      expect(clock.monotonic()).toBe(1 + pauseMs);
      expect(bill).toEqual([1, 1]);
      expect(requests).toBe(2);
      expect(events).toEqual([
        {
          type: 'retry',
          endpoint: 'trendingVideos',
          key: { chart: 'US:7:VIEWS', page: 1 },
          code: 'UPSTREAM_ERROR',
          pauseMs,
        },
      ]);
    },
  );

  it('rejects with the second error, and does not retry again', async () => {
    const { source, bill } = createScript(refused, broken, page);
    expect(await codeOf(createRetry(source).fetch(key(), createCall()))).toBe('UPSTREAM_ERROR');
    expect(bill).toEqual([1, 1]);
  });

  it('does not retry a call that may have been billed or would fail again', async () => {
    for (const code of ['UPSTREAM_TIMEOUT', 'UPSTREAM_BAD_RESPONSE', 'UPSTREAM_RATE_LIMITED'] as const) {
      const { source, bill } = createScript(new ApiError(code), page);
      expect(await codeOf(createRetry(source).fetch(key(), createCall()))).toBe(code);
      expect(bill).toEqual([1]);
    }
  });

  it.each([
    [4000, 2000],
    [1000, 500],
    [999, undefined],
  ])('with %i ms left, pauses for at most %p ms (undefined: does not retry)', async (leftMs, pauseMs) => {
    const { source, bill } = createScript(broken, page);
    const { clock, fetch } = createRetry(source, () => 1);
    await codeOf(fetch(key(), createCall({ deadline: () => 1 + leftMs })));
    expect(clock.monotonic()).toBe(1 + (pauseMs ?? 0));
    expect(bill).toHaveLength(pauseMs === undefined ? 1 : 2);
  });

  it.each([
    [1, 0, 1050],
    [2, 1, 3000],
    [3, 0, undefined],
  ])(
    'when upstream asks for %i s, pauses for at least that long (random value %i: %p ms), or does not retry',
    async (retryAfterSeconds, value, pauseMs) => {
      const upstream = { status: 503, code: null, requestId: null };
      const busy = new ApiError('UPSTREAM_ERROR', { allowsSecondAttempt: true, upstream, retryAfterSeconds });
      const { source, bill } = createScript(busy, page);
      const { clock, fetch } = createRetry(source, () => value);
      expect(await codeOf(fetch(key(), createCall()))).toBe(pauseMs === undefined ? 'UPSTREAM_ERROR' : 'ok');
      expect(clock.monotonic()).toBe(1 + (pauseMs ?? 0));
      expect(bill).toHaveLength(pauseMs === undefined ? 1 : 2);
    },
  );

  it('retries a call that got no connection', async () => {
    let calls = 0;
    const source: PageSource = async (_key, { onSent }) => {
      calls++;
      if (calls === 1)
        throw new ApiError('UPSTREAM_UNAVAILABLE', { hadNoConnection: true, allowsSecondAttempt: true });
      onSent();
      return page;
    };
    expect(await codeOf(createRetry(source).fetch(key(), createCall()))).toBe('ok');
    expect(calls).toBe(2);
  });

  it('rejects with an unforeseen error of the retry: it may have been sent', async () => {
    let isFirst = true;
    const source: PageSource = async () => {
      if (!isFirst) throw new TypeError('a defect');
      isFirst = false;
      throw sent(broken);
    };
    expect(await codeOf(createRetry(source).fetch(key(), createCall()))).toBe('other');
  });

  it('rejects with the first error when the retry was never sent', async () => {
    let isFirst = true;
    const source: PageSource = async (_key, { onSent }) => {
      if (!isFirst) throw new ApiError('CREDIT_BUDGET_EXHAUSTED');
      isFirst = false;
      onSent();
      throw sent(broken);
    };
    const { fetch, events } = createRetry(source);
    expect(await codeOf(fetch(key(), createCall()))).toBe('UPSTREAM_ERROR');
    expect(events).toEqual([]);
  });
});
