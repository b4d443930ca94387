import { describe, expect, it } from '@jest/globals';
import { PageCache, type PageCacheOptions } from '../../src/data/pageCache.ts';
import { ApiError } from '../../src/domain/errors.ts';
import type { Page, PageKey, PageSource } from '../../src/domain/page.ts';
import { createUpstreamCost, type UpstreamCost } from '../../src/domain/upstreamCost.ts';
import { createArraySource, makePage, makeVideos, US_VIEWS } from '../support/charts.ts';
import { createTestClock } from '../support/clock.ts';

const chart = makeVideos(1, 500);

function key(number: number, pageSize = 20): PageKey {
  return { chart: US_VIEWS, number, pageSize };
}

function createCache(source: PageSource, options: Partial<PageCacheOptions> = {}): PageCache {
  return new PageCache({
    source,
    clock: createTestClock(),
    ttlMs: 1000,
    maxBytes: 2 ** 20,
    ...options,
  });
}

/** A source whose calls wait until the test settles them. */
function createHeldSource(): {
  source: PageSource;
  calls: { resolve(page: Page): void; reject(error: Error): void }[];
} {
  const calls: { resolve(page: Page): void; reject(error: Error): void }[] = [];
  const source: PageSource = (_key, { onRequest }) => {
    onRequest();
    return new Promise((resolve, reject) => void calls.push({ resolve, reject }));
  };
  return { source, calls };
}

function pagesOf({ pages }: UpstreamCost): string {
  return Object.entries(pages)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}`)
    .join();
}

describe('PageCache', () => {
  it('buys a page once, and has it for its time to live', async () => {
    const { source, bill } = createArraySource({ rows: chart, pageSize: 20 });
    const clock = createTestClock();
    const cache = createCache(source, { clock });
    const [first, second, third] = [createUpstreamCost(), createUpstreamCost(), createUpstreamCost()];
    await cache.fetch(key(1), first);
    clock.advance(999);
    await cache.fetch(key(1), second);
    clock.advance(1);
    await cache.fetch(key(1), third);
    expect(bill).toEqual([1, 1]);
    expect([first, second, third].map(pagesOf)).toEqual(['1 fetched', '1 cached', '1 fetched']);
    expect([first, second, third].map(({ requests }) => requests)).toEqual([1, 0, 1]);
  });

  it('shares one call among all who want the page, and bills the first', async () => {
    const { source, calls } = createHeldSource();
    const cache = createCache(source);
    const costs = Array.from({ length: 100 }, createUpstreamCost);
    const fetches = Promise.all(costs.map((cost) => cache.fetch(key(1), cost)));
    calls[0]?.resolve(makePage(chart, 1, 20));
    await fetches;
    expect(calls).toHaveLength(1);
    expect(costs.map(({ requests }) => requests).reduce((a, b) => a + b)).toBe(1);
    expect(costs.map(pagesOf)).toEqual(['1 fetched', ...Array.from({ length: 99 }, () => '1 shared')]);
  });

  it('fails for all who waited, and asks again for the next', async () => {
    const { source, calls } = createHeldSource();
    const cache = createCache(source);
    const costs = [createUpstreamCost(), createUpstreamCost()];
    const fetches = Promise.allSettled(costs.map((cost) => cache.fetch(key(1), cost)));
    calls[0]?.reject(new ApiError('UPSTREAM_ERROR'));
    expect(await fetches).toMatchObject([
      { status: 'rejected', reason: { code: 'UPSTREAM_ERROR' } },
      { status: 'rejected', reason: { code: 'UPSTREAM_ERROR' } },
    ]);
    expect(costs.map(({ requests }) => requests)).toEqual([1, 0]);
    expect(costs.map(pagesOf)).toEqual(['', '']);

    const next = cache.fetch(key(1), createUpstreamCost());
    calls[1]?.resolve(makePage(chart, 1, 20));
    expect(await next).toMatchObject({ number: 1 });
  });

  it('stays within its bytes, least recently used out first', async () => {
    const { source, bill } = createArraySource({ rows: chart, pageSize: 20 });
    const onePage = JSON.stringify({ ...makePage(chart, 25, 20), freshUntil: 1000 }).length * 2;
    const cache = createCache(source, { maxBytes: Math.ceil(onePage * 3.5) });
    for (const number of [1, 2, 3, 1, 4, 1, 2]) {
      cache.held(US_VIEWS); // Looking does not count as using.
      await cache.fetch(key(number), createUpstreamCost());
    }
    expect(bill).toEqual([1, 2, 3, 4, 2]);
    expect(
      cache
        .held(US_VIEWS)
        .map(({ number }) => number)
        .sort(),
    ).toEqual([1, 2, 4]);
  });

  it('keeps a page that was paid for though its place was taken while it was fetched', async () => {
    const { source, calls } = createHeldSource();
    const onePage = JSON.stringify({ ...makePage(chart, 25, 20), freshUntil: 1000 }).length * 2;
    const cache = createCache(source, { maxBytes: Math.ceil(onePage * 1.2) });
    const slow = cache.fetch(key(1), createUpstreamCost());
    const fast = cache.fetch(key(2), createUpstreamCost());
    calls[1]?.resolve(makePage(chart, 2, 20));
    await fast;
    const third = cache.fetch(key(3), createUpstreamCost());
    calls[2]?.resolve(makePage(chart, 3, 20));
    await third;
    calls[0]?.resolve(makePage(chart, 1, 20));
    expect(await slow).toMatchObject({ number: 1 });

    const cost = createUpstreamCost();
    expect(await cache.fetch(key(1), cost)).toMatchObject({ number: 1 });
    expect(pagesOf(cost)).toBe('1 cached');
  });

  it('buys a page anew when the chart is cut into another grid', async () => {
    const upstream = { rows: chart, pageSize: 20 };
    const { source, bill } = createArraySource(upstream);
    const cache = createCache(source);
    await cache.fetch(key(2), createUpstreamCost());
    upstream.pageSize = 10;
    expect(await cache.fetch(key(2, 10), createUpstreamCost())).toMatchObject({ number: 2, pageSize: 10 });
    expect(bill).toEqual([2, 2]);
  });

  it('lists the fresh pages of a chart', async () => {
    const { source } = createArraySource({ rows: chart, pageSize: 20 });
    const clock = createTestClock();
    const cache = createCache(source, { clock });
    await cache.fetch(key(3), createUpstreamCost());
    clock.advance(600);
    await cache.fetch(key(7), createUpstreamCost());
    await cache.fetch({ ...key(9), chart: { ...US_VIEWS, region: 'DE' } }, createUpstreamCost());
    const numbers = (): number[] => cache.held(US_VIEWS).map(({ number }) => number);
    expect(numbers()).toEqual([3, 7]);
    clock.advance(400);
    expect(numbers()).toEqual([7]);
    await cache.fetch(key(3), createUpstreamCost());
    expect(numbers()).toEqual([7, 3]);
  });
});
