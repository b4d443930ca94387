import { describe, expect, it } from '@jest/globals';
import { sizeOf } from '../../../src/data/pages/pageStore.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import type { Operation } from '../../../src/domain/operation.ts';
import type { CachedPage } from '../../../src/domain/page.ts';
import { createOperation, createTestCache, settle, type TestCacheOptions } from '../../support/cache.ts';
import { createArraySource, makePage, makeVideos, range, US_VIEWS } from '../../support/charts.ts';
import { createHeldSource, key, type PageSource } from '../../support/sources.ts';

const chart = makeVideos(1, 500);

/** A cache over a chart that does not change, and its bill. */
function createStillCache(options: TestCacheOptions = {}) {
  const { source, bill } = createArraySource({ rows: chart, pageSize: 20 });
  return { ...createTestCache(source, options), bill };
}

describe('PageCache, while a page is fresh', () => {
  it('buys it once, and serves it from the cache for its time to live', async () => {
    const { cache, clock, bill } = createStillCache({ staleMs: 0 });
    const operations = range(1, 3).map(() => createOperation());
    const origins: string[] = [];
    for (const [index, operation] of operations.entries()) {
      clock.advance([0, 999, 1][index] ?? 0);
      origins.push((await cache.fetch(key(1), 20, operation)).origin);
    }
    expect(bill).toEqual([1, 1]);
    expect(origins).toEqual(['fetched', 'cached', 'fetched']);
    expect(operations.map(({ cost }) => cost.requests)).toEqual([1, 0, 1]);
  });

  it('buys it again, in the background, for whoever needs it as it is now', async () => {
    const { cache, clock, bill, refreshes } = createStillCache();
    await cache.fetch(key(1), 20, createOperation());
    clock.advance(500);
    expect(await cache.fetchAnew(key(1))).toMatchObject({ origin: 'fetched', page: { sequence: 2 } });
    expect(bill).toEqual([1, 1]);
    expect(refreshes).toEqual(['US:7:VIEWS:1']);
    expect((await cache.fetch(key(1), 20, createOperation())).origin).toBe('cached');
  });

  it('shortens the time to live at random, by at most a tenth', async () => {
    const ttls = await Promise.all(
      [0, 0.5, 1].map(async (value) => {
        const { cache } = createStillCache({ random: () => value });
        return (await cache.fetch(key(1), 20, createOperation())).page.freshUntil - 1;
      }),
    );
    expect(ttls).toEqual([1000, 950, 900]);
  });

  it('lets all pages of a generation expire together, however late they were fetched', async () => {
    const { cache, clock, bill } = createStillCache();
    await cache.fetch(key(1), 20, createOperation());
    clock.advance(900);
    await cache.fetch(key(2), 20, createOperation());
    expect(
      cache.views(US_VIEWS).newest.map(({ generation, freshUntil }) => [generation, freshUntil]),
    ).toEqual([
      [1, 1001],
      [1, 1001],
    ]);
    clock.advance(100);
    expect((await cache.fetch(key(2), 20, createOperation())).page).toMatchObject({
      generation: 3,
      freshUntil: 2001,
    });
    expect(bill).toEqual([1, 2, 2]);
  });

  it('buys a page again when the page size has changed', async () => {
    const upstream = { rows: chart, pageSize: 20 };
    const { source, bill } = createArraySource(upstream);
    const { cache } = createTestCache(source);
    await cache.fetch(key(2), 20, createOperation());
    upstream.pageSize = 10;
    const { page } = await cache.fetch(key(2), 10, createOperation());
    expect(page).toMatchObject({ number: 2, pageSize: 10 });
    expect(bill).toEqual([2, 2]);
  });
});

describe('PageCache, while a page is being fetched', () => {
  it('coalesces concurrent fetches into one call, and charges it to the first operation', async () => {
    const { source, calls } = createHeldSource();
    const { cache } = createTestCache(source);
    const operations = range(1, 100).map(() => createOperation());
    const reads = Promise.all(operations.map((operation) => cache.fetch(key(1), 20, operation)));
    await settle();
    calls[0]?.resolve(makePage(chart, 1, 20));
    const origins = (await reads).map(({ origin }) => origin);
    expect(calls).toHaveLength(1);
    expect(operations.reduce((sum, { cost }) => sum + cost.requests, 0)).toBe(1);
    expect(origins).toEqual(['fetched', ...range(1, 99).map(() => 'shared')]);
  });

  it('fails for all waiting operations, and calls upstream again for the next one', async () => {
    const { source, calls } = createHeldSource();
    const { cache } = createTestCache(source);
    const operations = [createOperation(), createOperation()];
    const reads = Promise.allSettled(operations.map((operation) => cache.fetch(key(1), 20, operation)));
    await settle();
    calls[0]?.reject(new ApiError('UPSTREAM_ERROR'));
    expect(await reads).toMatchObject([
      { status: 'rejected', reason: { code: 'UPSTREAM_ERROR' } },
      { status: 'rejected', reason: { code: 'UPSTREAM_ERROR' } },
    ]);
    expect(operations.map(({ cost }) => cost.requests)).toEqual([1, 0]);

    const next = cache.fetch(key(1), 20, createOperation());
    await settle();
    calls[1]?.resolve(makePage(chart, 1, 20));
    expect((await next).page).toMatchObject({ number: 1 });
  });

  it('rejects when an operation stops waiting, and still caches the page that it paid for', async () => {
    const { source, calls } = createHeldSource();
    const { cache, clock } = createTestCache(source);
    const operation = createOperation(clock.monotonic() + 20);
    const read = cache.fetch(key(1), 20, operation);
    clock.expireDeadlines(20);
    await expect(read).rejects.toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
    calls[0]?.resolve(makePage(chart, 1, 20));
    await settle();
    expect((await cache.fetch(key(1), 20, createOperation())).origin).toBe('cached');
    expect(operation.cost.requests).toBe(1);
  });

  it('has the latest deadline of all waiting operations', async () => {
    let deadline = (): number => 0;
    const { cache, clock } = createTestCache((_key, options) => {
      deadline = options.deadline;
      return new Promise(() => undefined);
    });
    const waiting = [5, 9, 7].map((at) => cache.fetch(key(1), 20, createOperation(at)));
    await settle();
    expect(deadline()).toBe(9);
    clock.expireDeadlines(9);
    await Promise.allSettled(waiting);
  });

  it('is waited for by whoever needs the page as it is now, if need be for longer', async () => {
    const { source, calls } = createHeldSource();
    let deadline = (): number => 0;
    const { cache, clock } = createTestCache((page, call) => {
      deadline = call.deadline;
      return source(page, call);
    });
    const operation = cache.fetch(key(1), 20, createOperation(clock.monotonic() + 1));
    const anew = cache.fetchAnew(key(1));
    await settle();
    expect(deadline()).toBe(clock.monotonic() + 10_000);
    calls[0]?.resolve(makePage(chart, 1, 20));
    expect((await operation).origin).toBe('fetched');
    expect((await anew).origin).toBe('shared');
    expect(calls).toHaveLength(1);
  });

  it('settles when all fetches in flight have succeeded or failed', async () => {
    const { source, calls } = createHeldSource();
    const { cache } = createTestCache(source);
    const reads = Promise.allSettled([1, 2].map((number) => cache.fetch(key(number), 20, createOperation())));
    let isSettled = false;
    const settled = cache.settle().then(() => {
      isSettled = true;
    });
    await settle();
    calls[0]?.resolve(makePage(chart, 1, 20));
    await settle();
    expect(isSettled).toBe(false);
    calls[1]?.reject(new ApiError('UPSTREAM_ERROR'));
    await settled;
    await reads;
  });
});

describe('PageCache, when a page is past its time to live', () => {
  /** A cache with page 1, which has just expired, and a source whose calls wait. */
  async function createStaleCache(options: TestCacheOptions = {}) {
    const { source, calls } = createHeldSource();
    const testCache = createTestCache(source, options);
    const first = testCache.cache.fetch(key(1), 20, createOperation());
    await settle();
    calls[0]?.resolve(makePage(chart, 1, 20));
    const stalePage = (await first).page;
    testCache.clock.advance(1000);
    calls.length = 0;
    return { ...testCache, calls, stalePage };
  }

  it('serves it at once, while one refresh runs that belongs to no operation', async () => {
    const { cache, calls, stalePage, refreshes } = await createStaleCache();
    const reads = range(1, 500).map(() => {
      cache.refresh(key(1));
      return cache.use(stalePage);
    });
    expect(new Set(reads.map(({ page, origin }) => `${page.generation} ${origin}`))).toEqual(
      new Set(['1 stale']),
    );
    await settle();
    expect(calls).toMatchObject([{ background: true }]);
    expect(refreshes).toEqual(['US:7:VIEWS:1']);

    calls[0]?.resolve(makePage(chart, 1, 20));
    await settle();
    // Windows may still be cut from the older copy; it causes no further refresh.
    expect(cache.use(stalePage).origin).toBe('stale');
    cache.refresh(key(1));
    expect((await cache.fetch(key(1), 20, createOperation())).origin).toBe('cached');
    expect(calls).toHaveLength(1);
  });

  it('does not refresh it while calls are stopped', async () => {
    let isStopped = true;
    const { cache, clock, bill } = createStillCache({ isStopped: () => isStopped });
    await cache.fetch(key(1), 20, createOperation());
    clock.advance(1000);
    cache.refresh(key(1));
    await settle();
    expect(bill).toEqual([1]);
    isStopped = false;
    cache.refresh(key(1));
    await settle();
    expect(bill).toEqual([1, 1]);
  });

  it('waits for the refresh when an operation needs a fresh page', async () => {
    const { cache, calls } = await createStaleCache();
    cache.refresh(key(1));
    const operation = createOperation();
    const read = cache.fetch(key(1), 20, operation);
    await settle();
    calls[0]?.resolve(makePage(chart, 1, 20));
    expect(await read).toMatchObject({ origin: 'shared', page: { generation: 2 } });
    expect(operation.cost.requests).toBe(0);
  });

  it.each([
    'UPSTREAM_UNAUTHENTICATED',
    'UPSTREAM_QUOTA_EXCEEDED',
    'UPSTREAM_FORBIDDEN',
    'UPSTREAM_RATE_LIMITED',
    'UPSTREAM_ERROR',
    'UPSTREAM_TIMEOUT',
    'UPSTREAM_UNAVAILABLE',
    'UPSTREAM_BAD_RESPONSE',
    'CREDIT_BUDGET_EXHAUSTED',
  ] as const)('falls back on it when the refresh fails with %s', async (code) => {
    const { cache, calls } = await createStaleCache();
    const read = cache.fetch(key(1), 20, createOperation());
    await settle();
    calls[0]?.reject(new ApiError(code));
    expect(await read).toMatchObject({ origin: 'stale', page: { generation: 1 } });
  });

  it('falls back on it when the operation has no time left', async () => {
    const { cache, clock } = await createStaleCache();
    const read = cache.fetch(key(1), 20, createOperation(clock.monotonic() + 20));
    clock.expireDeadlines(20);
    expect(await read).toMatchObject({ origin: 'stale', page: { generation: 1 } });
  });

  it('deletes it when upstream refuses it with a 400, and never serves it stale', async () => {
    const { cache, calls } = await createStaleCache();
    cache.refresh(key(1));
    await settle();
    calls[0]?.reject(new ApiError('BAD_USER_INPUT'));
    await settle();
    expect(cache.views(US_VIEWS).newest).toEqual([]);

    const read = cache.fetch(key(1), 20, createOperation());
    await settle();
    calls[1]?.reject(new ApiError('BAD_USER_INPUT'));
    await expect(read).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('drops it when its stale time is over', async () => {
    const { cache, clock, calls } = await createStaleCache({ staleMs: 5000 });
    clock.advance(4999);
    expect(cache.views(US_VIEWS).newest).toHaveLength(1);
    clock.advance(1);
    expect(cache.views(US_VIEWS).newest).toEqual([]);
    const read = cache.fetch(key(1), 20, createOperation());
    await settle();
    calls[0]?.reject(new ApiError('UPSTREAM_ERROR'));
    await expect(read).rejects.toMatchObject({ code: 'UPSTREAM_ERROR' });
  });

  it('returns views of each generation, the newest first, and of the newest copies', async () => {
    const { cache, clock } = createStillCache();
    for (const number of [1, 2, 3]) await cache.fetch(key(number), 20, createOperation());
    clock.advance(1000);
    for (const number of [2, 4]) await cache.fetch(key(number), 20, createOperation());
    const names = (view: readonly CachedPage[]): string[] =>
      view.map(({ number, generation }) => `${number}/${generation}`).sort();
    const { preferred, fallback } = cache.views(US_VIEWS);
    expect(preferred.map(names)).toEqual([
      ['2/4', '4/4'],
      ['1/1', '2/1', '3/1'],
      ['1/1', '2/4', '3/1', '4/4'],
    ]);
    expect(fallback).toEqual([]);

    // Another time to live later the old generation is only a fallback.
    clock.advance(1000);
    const later = cache.views(US_VIEWS);
    expect(later.preferred.map(names)).toEqual([
      ['2/4', '4/4'],
      ['1/1', '2/4', '3/1', '4/4'],
    ]);
    expect(later.fallback.map(names)).toEqual([['1/1', '2/1', '3/1']]);
  });

  it('keeps the newest copy in memory while an older one is served', async () => {
    const onePage = sizeOf((await createStillCache().cache.fetch(key(25), 20, createOperation())).page);
    const { cache, clock } = createStillCache({ maxBytes: Math.ceil(onePage * 3.5) });
    const { page: old } = await cache.fetch(key(1), 20, createOperation());
    clock.advance(1000);
    await cache.fetch(key(1), 20, createOperation());
    cache.use(old);
    cache.refresh(key(1));
    for (const number of [2, 3]) await cache.fetch(key(number), 20, createOperation());
    expect((await cache.fetch(key(1), 20, createOperation())).origin).toBe('cached');
  });
});

describe("an operation's pages", () => {
  it('are limited, not counting cached pages and pages that other operations pay for', async () => {
    const { cache, bill } = createStillCache();
    const operation = { ...createOperation(), creditsLeft: 4 };
    const fetch = (number: number) => cache.fetch(key(number), 20, operation);
    await cache.fetch(key(9), 20, createOperation());
    await fetch(1);
    const other = cache.fetch(key(5), 20, createOperation());
    expect(await Promise.all([fetch(9), fetch(5), fetch(2)])).toMatchObject([
      { origin: 'cached' },
      { origin: 'shared' },
      { origin: 'fetched' },
    ]);
    await other;
    await expect(fetch(3)).rejects.toMatchObject({ code: 'OPERATION_TOO_EXPENSIVE' });
    expect(bill).toEqual([9, 1, 5, 2]);
  });

  it('are not charged to it after its deadline', async () => {
    const { source, calls } = createHeldSource();
    let send = (): void => undefined;
    const { cache, clock } = createTestCache((pageKey, options) => {
      send = options.onSent;
      return source(pageKey, { ...options, onSent: () => undefined });
    });
    const operation = createOperation(clock.monotonic() + 5);
    const other = cache.fetch(key(1), 20, operation).catch(() => undefined);
    await settle();
    send();
    clock.advance(5);
    send();
    expect(operation.cost.requests).toBe(1);
    calls[0]?.resolve(makePage(chart, 1, 20));
    await other;
  });
});

describe('PageCache, when a cover expires', () => {
  /** A source whose covers expire `coverMs` after each fetch; null: their links do not say when. */
  function createCoverSource(clock: { now(): number }, coverMs: number | null) {
    const bill: number[] = [];
    const source: PageSource = async ({ number }, { onSent }) => {
      onSent();
      bill.push(number);
      const coverExpiresAt = coverMs === null ? null : clock.now() + coverMs;
      const rows = chart.map((video) => ({ ...video, cover: 'https://a.example/b', coverExpiresAt }));
      return makePage(rows, number, 20, { fetchedAt: clock.now() });
    };
    return { source, bill };
  }

  async function readEvery100Ms(coverMs: number | null, untilMs: number, operation: () => Operation) {
    const { clock } = createTestCache(async () => makePage(chart, 1, 20));
    const { source, bill } = createCoverSource(clock, coverMs);
    const { cache } = createTestCache(source, { clock });
    const origins: string[] = [];
    for (let passed = 0; passed <= untilMs; passed += 100) {
      origins.push((await cache.fetch(key(1), 20, operation())).origin);
      await settle();
      clock.advance(100);
    }
    return { bill, origins };
  }

  it('refreshes the page in the background, once in its time to live', async () => {
    const { bill, origins } = await readEvery100Ms(300, 900, createOperation);
    expect(bill).toEqual([1, 1]);
    expect(origins).toEqual(['fetched', ...range(1, 9).map(() => 'cached')]);
  });

  it('refreshes it again in the next generation', async () => {
    expect((await readEvery100Ms(300, 1900, createOperation)).bill).toHaveLength(4);
  });

  it.each([null, 5000])(
    'does not refresh the page when its covers outlive it (expiry after %p ms)',
    async (coverMs) => {
      expect((await readEvery100Ms(coverMs, 900, createOperation)).bill).toEqual([1]);
    },
  );

  it('measures elapsed time, and ignores jumps of the wall clock', async () => {
    const testCache = createTestCache(async () => makePage(chart, 1, 20));
    const { source, bill } = createCoverSource(testCache.clock, 300);
    const { cache, clock } = createTestCache(source, { clock: testCache.clock });
    await cache.fetch(key(1), 20, createOperation());
    clock.jump(3_600_000);
    await cache.fetch(key(1), 20, createOperation());
    await settle();
    expect(bill).toEqual([1]);
    clock.jump(-7_200_000);
    clock.advance(300);
    await cache.fetch(key(1), 20, createOperation());
    await settle();
    expect(bill).toEqual([1, 1]);
  });
});
