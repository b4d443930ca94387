import { beforeEach, describe, expect, it } from '@jest/globals';
import { HttpResponse } from '../../../src/server/responses/httpResponse.ts';
import type { RequestKey } from '../../../src/server/responses/requestKey.ts';
import { ResponseCache } from '../../../src/server/responses/responseCache.ts';

const keyOf = (text: string): RequestKey => ({ text, body: Buffer.from('') });

describe('ResponseCache', () => {
  const key = keyOf('key');
  const freshness = { freshUntil: 5000, staleUntil: 9000, hasLookups: false, changes: 1, copies: [] };
  const response = new HttpResponse(200, {}, '{}');
  let now: number;
  let changes: number;
  let isOutdated: boolean;
  let hits: unknown[];
  let cache: ResponseCache;

  beforeEach(() => {
    now = 1000;
    changes = 1;
    isOutdated = false;
    hits = [];
    cache = new ResponseCache({
      maxBytes: 100_000,
      monotonic: () => now,
      isCurrent: (freshness) => freshness.changes === changes,
      isOutdated: () => isOutdated,
      recordHit: (hit) => void hits.push(hit),
    });
  });

  it('gives a response until its pages expire, whatever arrives meanwhile, and records its hits', () => {
    cache.set(key, freshness, () => response);
    changes = 2;
    now = 4999;
    expect(cache.get(key)).toBe(response);
    expect(hits).toEqual([freshness]);
    now = 5000;
    expect(cache.get(key)).toBeUndefined();
    expect(hits).toHaveLength(1);
  });

  it('gives no response that is outdated, however fresh it is', () => {
    cache.set(key, freshness, () => response);
    expect(cache.get(key)).toBeDefined();
    isOutdated = true;
    expect(cache.get(key)).toBeUndefined();
    isOutdated = false;
    expect(cache.get(key)).toBeUndefined();
  });

  it.each([
    ['with stale pages', { ...freshness, freshUntil: 1000 }],
    ['with lookups', { ...freshness, hasLookups: true }],
  ])('gives a response %s for a second, and only until a page arrives', (_, volatile) => {
    cache.set(key, volatile, () => response);
    now = 1999;
    expect(cache.get(key)).toBeDefined();
    now = 2000;
    expect(cache.get(key)).toBeUndefined();
    cache.set(key, volatile, () => response);
    expect(cache.get(key)).toBeDefined();
    changes = 2;
    expect(cache.get(key)).toBeUndefined();
  });

  it('does not cache a response whose covers have expired', () => {
    cache.set(key, { ...freshness, freshUntil: 900, staleUntil: 1000 }, () => response);
    expect(cache.get(key)).toBeUndefined();
  });

  describe('when it is full', () => {
    const BYTES = 20_000;
    const large = new HttpResponse(200, {}, ' '.repeat(BYTES));
    const set = (key: string) => cache.set(keyOf(key), freshness, () => large);

    beforeEach(() => {
      expect(cache.hasRoomFor(keyOf('a'), BYTES)).toBe(true);
      for (const key of ['a', 'b']) set(key);
    });

    it('has room for a response that would have been cached still, and for no other', () => {
      expect(['c', 'd'].map((key) => cache.hasRoomFor(keyOf(key), BYTES))).toEqual([false, false]);
      expect(cache.hasRoomFor(keyOf('c'), BYTES)).toBe(true);
      for (let other = 0; other < 6; other++) cache.hasRoomFor(keyOf(`other ${other}`), BYTES);
      expect(cache.hasRoomFor(keyOf('d'), BYTES)).toBe(false);
    });

    it('records the hits of a response once a second', () => {
      for (const at of [1000, 1500, 1999, 2000]) {
        now = at;
        cache.get(keyOf('a'));
      }
      expect(hits).toHaveLength(2);
    });
  });
});
