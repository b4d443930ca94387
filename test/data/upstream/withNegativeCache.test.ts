import { describe, expect, it } from '@jest/globals';
import { withNegativeCache } from '../../../src/data/upstream/withNegativeCache.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import { pageEndpoint } from '../../../src/domain/page.ts';
import { createCall } from '../../support/cache.ts';
import { createTestClock } from '../../support/clock.ts';
import { codeOf, createScript, key, page } from '../../support/sources.ts';

describe('withNegativeCache', () => {
  it('caches each further failure for twice as long, up to a minute, and starts again after a success', async () => {
    const script = createScript(new ApiError('UPSTREAM_ERROR'));
    const clock = createTestClock();
    const fetch = withNegativeCache(script.source, pageEndpoint, { clock, ttlMs: 1000 });
    const requestedAt: number[] = [];
    for (let seconds = 0; seconds <= 250; seconds++) {
      const callsBefore = script.bill.length;
      expect(await codeOf(fetch(key(), createCall()))).toBe('UPSTREAM_ERROR');
      if (script.bill.length > callsBefore) requestedAt.push(seconds);
      clock.advance(1000);
    }
    expect(requestedAt).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);

    script.outcomes.push(page);
    clock.advance(60_000);
    expect(await codeOf(fetch(key(), createCall()))).toBe('ok');
    script.outcomes.splice(0, 2, new ApiError('UPSTREAM_ERROR'));
    await codeOf(fetch(key(), createCall()));
    clock.advance(1000);
    const callsBefore = script.bill.length;
    await codeOf(fetch(key(), createCall()));
    expect(script.bill).toHaveLength(callsBefore + 1);
  });

  it('caches a failure for its page only', async () => {
    const { source, bill } = createScript(new ApiError('UPSTREAM_ERROR'), page);
    const fetch = withNegativeCache(source, pageEndpoint, { clock: createTestClock(), ttlMs: 1000 });
    expect(await codeOf(fetch(key(1), createCall()))).toBe('UPSTREAM_ERROR');
    expect(await codeOf(fetch(key(2), createCall()))).toBe('ok');
    expect(bill).toEqual([1, 2]);
  });

  it('caches a refusal (400) for 10 minutes', async () => {
    const { source, bill } = createScript(new ApiError('BAD_USER_INPUT'), page);
    const clock = createTestClock();
    const fetch = withNegativeCache(source, pageEndpoint, { clock, ttlMs: 1000 });
    await codeOf(fetch(key(), createCall()));
    clock.advance(599_999);
    expect(await codeOf(fetch(key(), createCall()))).toBe('BAD_USER_INPUT');
    clock.advance(1);
    expect(await codeOf(fetch(key(), createCall()))).toBe('ok');
    expect(bill).toEqual([1, 1]);
  });

  it('starts again with the shortest time to live after a refusal (400)', async () => {
    const failed = new ApiError('UPSTREAM_ERROR');
    const { source, bill } = createScript(
      failed,
      failed,
      failed,
      new ApiError('BAD_USER_INPUT'),
      failed,
      page,
    );
    const clock = createTestClock();
    const fetch = withNegativeCache(source, pageEndpoint, { clock, ttlMs: 1000 });
    for (const pauseMs of [1000, 2000, 4000, 600_000, 1000]) {
      await codeOf(fetch(key(), createCall()));
      clock.advance(pauseMs);
    }
    expect(await codeOf(fetch(key(), createCall()))).toBe('ok');
    expect(bill).toHaveLength(6);
  });

  it('does not cache errors of calls that were never sent, nor errors of the account', async () => {
    const clock = createTestClock();
    let calls = 0;
    const unsent = withNegativeCache(
      async () => {
        calls++;
        throw new ApiError('UPSTREAM_UNAVAILABLE');
      },
      pageEndpoint,
      { clock, ttlMs: 1000 },
    );
    await codeOf(unsent(key(), createCall()));
    await codeOf(unsent(key(), createCall()));
    expect(calls).toBe(2);

    const { source, bill } = createScript(new ApiError('UPSTREAM_QUOTA_EXCEEDED'));
    const refused = withNegativeCache(source, pageEndpoint, { clock, ttlMs: 1000 });
    await codeOf(refused(key(), createCall()));
    await codeOf(refused(key(), createCall()));
    expect(bill).toHaveLength(2);
  });
});
