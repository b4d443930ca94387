import { describe, expect, it } from '@jest/globals';
import { withNegativeCache } from '../../../src/data/upstream/withNegativeCache.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import { pageEndpoint } from '../../../src/domain/page.ts';
import { createCall } from '../../support/cache.ts';
import { createTestClock } from '../../support/clock.ts';
import { codeOf, createScript, key, type PageSource, page } from '../../support/sources.ts';

const TTLS = { errorTtlMs: 1000, ttlMs: 3_600_000 };
const RESPONSE = { status: 200, code: 0, requestId: null };

/** The seconds at which a source is called that always fails with `error`, when it is asked every second. */
async function requestTimes(error: ApiError, seconds: number, ttls = TTLS): Promise<number[]> {
  const script = createScript(error);
  const clock = createTestClock();
  const fetch = withNegativeCache(script.source, pageEndpoint, { clock, ...ttls });
  const times: number[] = [];
  for (let second = 0; second <= seconds; second++) {
    const callsBefore = script.bill.length;
    expect(await codeOf(fetch(key(), createCall()))).toBe(error.code);
    if (script.bill.length > callsBefore) times.push(second);
    clock.advance(1000);
  }
  return times;
}

describe('withNegativeCache', () => {
  it('caches each further failure for twice as long, up to a minute', async () => {
    expect(await requestTimes(new ApiError('UPSTREAM_ERROR'), 250)).toEqual([
      0, 1, 3, 7, 15, 31, 63, 123, 183, 243,
    ]);
  });

  const failed = new ApiError('UPSTREAM_ERROR');
  const empty = new ApiError('UPSTREAM_BAD_RESPONSE', { upstream: RESPONSE, isEmpty: true });
  const refused = new ApiError('BAD_USER_INPUT');

  it.each([
    ['a success', [failed, failed, page, failed, page], [1000, 2000, 0, 1000]],
    ['another kind of failure', [failed, failed, empty, failed, page], [1000, 2000, 60_000, 1000]],
    ['a refusal (400)', [failed, failed, failed, refused, failed, page], [1000, 2000, 4000, 600_000, 1000]],
  ])('starts again with the shortest time to live after %s', async (_name, outcomes, pausesMs) => {
    const { source, bill } = createScript(...outcomes);
    const clock = createTestClock();
    const fetch = withNegativeCache(source, pageEndpoint, { clock, ...TTLS });
    for (const pauseMs of pausesMs) {
      await codeOf(fetch(key(), createCall()));
      clock.advance(pauseMs);
    }
    expect(await codeOf(fetch(key(), createCall()))).toBe('ok');
    expect(bill).toHaveLength(outcomes.length);
  });

  it('caches responses that cannot be read for up to 10 minutes', async () => {
    const unreadable = new ApiError('UPSTREAM_BAD_RESPONSE', { upstream: RESPONSE });
    expect(await requestTimes(unreadable, 3000)).toEqual([
      0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 1623, 2223, 2823,
    ]);
  });

  it('caches empty pages for a minute, and longer up to the time to live of a page', async () => {
    expect(await requestTimes(empty, 1200, { ...TTLS, ttlMs: 300_000 })).toEqual([
      0, 60, 180, 420, 720, 1020,
    ]);
    expect(await requestTimes(empty, 20, { ...TTLS, ttlMs: 5000 })).toEqual([0, 5, 10, 15, 20]);
  });

  it('caches the failure of a call that got no connection', async () => {
    let calls = 0;
    const source: PageSource = async () => {
      calls++;
      throw new ApiError('UPSTREAM_UNAVAILABLE', { hadNoConnection: true });
    };
    const fetch = withNegativeCache(source, pageEndpoint, { clock: createTestClock(), ...TTLS });
    await codeOf(fetch(key(), createCall()));
    expect(await codeOf(fetch(key(), createCall()))).toBe('UPSTREAM_UNAVAILABLE');
    expect(calls).toBe(1);
  });

  it('caches a failure for its page only', async () => {
    const { source, bill } = createScript(new ApiError('UPSTREAM_ERROR'), page);
    const fetch = withNegativeCache(source, pageEndpoint, { clock: createTestClock(), ...TTLS });
    expect(await codeOf(fetch(key(1), createCall()))).toBe('UPSTREAM_ERROR');
    expect(await codeOf(fetch(key(2), createCall()))).toBe('ok');
    expect(bill).toEqual([1, 2]);
  });

  it('caches a refusal (400) for 10 minutes', async () => {
    const { source, bill } = createScript(new ApiError('BAD_USER_INPUT'), page);
    const clock = createTestClock();
    const fetch = withNegativeCache(source, pageEndpoint, { clock, ...TTLS });
    await codeOf(fetch(key(), createCall()));
    clock.advance(599_999);
    expect(await codeOf(fetch(key(), createCall()))).toBe('BAD_USER_INPUT');
    clock.advance(1);
    expect(await codeOf(fetch(key(), createCall()))).toBe('ok');
    expect(bill).toEqual([1, 1]);
  });

  it('does not cache errors of calls that were not made, nor errors of the account', async () => {
    const clock = createTestClock();
    let calls = 0;
    const unsent = withNegativeCache(
      async () => {
        calls++;
        throw new ApiError('UPSTREAM_UNAVAILABLE');
      },
      pageEndpoint,
      { clock, ...TTLS },
    );
    await codeOf(unsent(key(), createCall()));
    await codeOf(unsent(key(), createCall()));
    expect(calls).toBe(2);

    const { source, bill } = createScript(new ApiError('UPSTREAM_QUOTA_EXCEEDED'));
    const refused = withNegativeCache(source, pageEndpoint, { clock, ...TTLS });
    await codeOf(refused(key(), createCall()));
    await codeOf(refused(key(), createCall()));
    expect(bill).toHaveLength(2);
  });
});
