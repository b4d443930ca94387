import { describe, expect, it } from '@jest/globals';
import type { StatsCache } from '../../../src/data/stats/statsCache.ts';
import { createChartReader } from '../../../src/data/windows/chartReader.ts';
import { recordHit } from '../../../src/data/windows/freshness.ts';
import type { Chart } from '../../../src/domain/chart.ts';
import { createOperation, createTestCache } from '../../support/cache.ts';
import { makePage, makeVideo, makeVideos, US_VIEWS } from '../../support/charts.ts';

/** No result here has numbers. */
const NO_NUMBERS = {} as StatsCache;

const DE_VIEWS: Chart = { ...US_VIEWS, region: 'DE' };

/** A cache over charts with the same videos, whose titles name the fetch that they came from. */
function createTitledCache() {
  let fetches = 0;
  return createTestCache(async ({ chart, number }, { onSent }) => {
    onSent();
    fetches++;
    const rows = makeVideos(1, 40).map((video) => ({ ...video, title: `fetch ${fetches}` }));
    return makePage(rows, number, 20, { chart });
  });
}

describe('createVideoFinder', () => {
  it('finds the copy that arrived last, on any chart', async () => {
    const { cache, refreshes } = createTitledCache();
    const read = (chart: Chart, number: number) => cache.fetch({ chart, number }, 20, createOperation());
    const find = async (itemId: string) => {
      const { findVideo } = createChartReader({ cache, operation: createOperation() });
      return (await findVideo(itemId))?.video.title;
    };
    expect(await find('7')).toBeUndefined();
    await read(US_VIEWS, 1);
    expect(await find('7')).toBe('fetch 1');
    await read(DE_VIEWS, 1);
    await read(US_VIEWS, 2);
    expect([await find('7'), await find('27')]).toEqual(['fetch 2', 'fetch 3']);
    expect(refreshes).toEqual([]);
  });

  it('looks up the videos of one tick together, and counts each page once', async () => {
    const { cache } = createTitledCache();
    await cache.fetch({ chart: US_VIEWS, number: 1 }, 20, createOperation());
    const lookups: string[][] = [];
    const findVideos = cache.findVideos.bind(cache);
    cache.findVideos = (itemIds) => {
      lookups.push([...itemIds]);
      return findVideos(itemIds);
    };
    const operation = createOperation();
    const { findVideo } = createChartReader({ cache, operation });
    const found = await Promise.all(['3', '4', '3', '99'].map(findVideo));
    expect(found.map((copy) => copy?.video ?? null)).toEqual(
      [3, 4, 3].map((id) => ({ ...makeVideo(id), title: 'fetch 1' })).concat(null as never),
    );
    expect(lookups).toEqual([['3', '4', '99']]);
    expect(operation.cost).toEqual({
      requests: 0,
      credits: 0,
      pages: { cached: 1, stale: 0, shared: 0, fetched: 0 },
    });
  });

  it('counts the page of a found video as used, so that other pages are evicted first', async () => {
    const { cache, store } = createTitledCache();
    for (const number of [1, 2]) await cache.fetch({ chart: US_VIEWS, number }, 20, createOperation());
    await createChartReader({ cache, operation: createOperation() }).findVideo('1');
    expect(store.all().map(({ number }) => number)).toEqual([2, 1]);
  });
});

describe('a result of lookups', () => {
  it('refreshes no expired page when it is served again; a window beside it refreshes its own', async () => {
    const { cache, clock, refreshes } = createTitledCache();
    for (const chart of [US_VIEWS, DE_VIEWS]) await cache.fetch({ chart, number: 1 }, 20, createOperation());
    const { findVideo, readWindow, freshness } = createChartReader({
      cache,
      operation: createOperation(),
    });
    await findVideo('1');
    clock.advance(1000);
    const found = freshness();
    expect(found?.copies).toMatchObject([{ number: 1, servesWindow: false }]);
    if (found) recordHit(cache, NO_NUMBERS, found);
    await cache.settle();
    expect(refreshes).toEqual([]);
    await readWindow(
      US_VIEWS,
      { first: 1, last: undefined, after: undefined, before: undefined },
      { rows: true, facts: true },
    );
    await cache.settle();
    expect(refreshes).toEqual(['US:7:VIEWS:1']);
  });

  it('is no longer current when its own operation has fetched a newer copy', async () => {
    const { cache } = createTitledCache();
    await cache.fetch({ chart: US_VIEWS, number: 1 }, 20, createOperation());
    const { findVideo, readWindow, freshness } = createChartReader({
      cache,
      operation: createOperation(),
    });
    await findVideo('7');
    expect(freshness()?.changes).toBe(cache.changes);
    const window = { first: 1, last: undefined, after: undefined, before: undefined };
    await readWindow(DE_VIEWS, window, { rows: true, facts: true });
    expect(freshness()?.changes).toBeLessThan(cache.changes);
  });

  it('is not cacheable when a video was not found', async () => {
    const { cache } = createTitledCache();
    await cache.fetch({ chart: US_VIEWS, number: 1 }, 20, createOperation());
    const { findVideo, freshness } = createChartReader({ cache, operation: createOperation() });
    expect(freshness()).toBeUndefined();
    await findVideo('2');
    expect(freshness()).toMatchObject({ hasLookups: true });
    await Promise.all([findVideo('1'), findVideo('none')]);
    expect(freshness()).toBeUndefined();
  });
});
