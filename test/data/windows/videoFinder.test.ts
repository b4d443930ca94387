import { describe, expect, it } from '@jest/globals';
import { createChartReader } from '../../../src/data/windows/chartReader.ts';
import type { Chart } from '../../../src/domain/chart.ts';
import { createOperation, createTestCache } from '../../support/cache.ts';
import { makePage, makeVideo, makeVideos, US_VIEWS } from '../../support/charts.ts';

const DE_VIEWS: Chart = { ...US_VIEWS, region: 'DE' };

/** A cache over two charts with the same videos, whose titles tell which fetch they came with. */
function createTitledCache() {
  let fetches = 0;
  return createTestCache(async ({ chart, number }, { onRequest }) => {
    onRequest();
    fetches++;
    const rows = makeVideos(1, 40).map((video) => ({ ...video, title: `fetch ${fetches}` }));
    return makePage(rows, number, 20, { chart });
  });
}

describe('createVideoFinder', () => {
  it('gives the copy that came last, of whatever chart', async () => {
    const { cache, events, onEvent } = createTitledCache();
    const read = (chart: Chart, number: number) =>
      cache.fetch({ chart, number, pageSize: 20 }, createOperation());
    const find = async (itemId: string) => {
      const { findVideo } = createChartReader({ cache, operation: createOperation(), onEvent });
      return (await findVideo(itemId))?.title;
    };
    expect(await find('7')).toBeUndefined();
    await read(US_VIEWS, 1);
    expect(await find('7')).toBe('fetch 1');
    await read(DE_VIEWS, 1);
    await read(US_VIEWS, 2);
    expect([await find('7'), await find('27')]).toEqual(['fetch 2', 'fetch 3']);
    expect(events.filter(({ type }) => type === 'pageRefresh')).toEqual([]);
  });

  it('looks up together what is asked for in one tick, and counts each page once', async () => {
    const { cache, onEvent } = createTitledCache();
    await cache.fetch({ chart: US_VIEWS, number: 1, pageSize: 20 }, createOperation());
    const lookups: string[][] = [];
    const findVideos = cache.findVideos.bind(cache);
    cache.findVideos = (itemIds) => {
      lookups.push([...itemIds]);
      return findVideos(itemIds);
    };
    const operation = createOperation();
    const { findVideo } = createChartReader({ cache, operation, onEvent });
    const found = await Promise.all(['3', '4', '3', '99'].map(findVideo));
    expect(found).toEqual(
      [3, 4, 3].map((id) => ({ ...makeVideo(id), title: 'fetch 1' })).concat(null as never),
    );
    expect(lookups).toEqual([['3', '4', '99']]);
    expect(operation.cost).toEqual({ requests: 0, pages: { cached: 1, stale: 0, shared: 0, fetched: 0 } });
  });

  it('keeps in memory what it finds, before what nobody asks for', async () => {
    const { cache, store, onEvent } = createTitledCache();
    for (const number of [1, 2])
      await cache.fetch({ chart: US_VIEWS, number, pageSize: 20 }, createOperation());
    await createChartReader({ cache, operation: createOperation(), onEvent }).findVideo('1');
    expect(store.all().map(({ number }) => number)).toEqual([2, 1]);
  });
});

describe('what is made of lookups', () => {
  it('serves again without a refresh, also past the time to live; a window beside it has its own refreshed', async () => {
    const { cache, clock, onEvent, events } = createTitledCache();
    for (const chart of [US_VIEWS, DE_VIEWS])
      await cache.fetch({ chart, number: 1, pageSize: 20 }, createOperation());
    const { findVideo, readWindow, resultPages } = createChartReader({
      cache,
      operation: createOperation(),
      onEvent,
    });
    await findVideo('1');
    clock.advance(1000);
    resultPages.recordHit();
    const refreshed = () =>
      events.flatMap((event) => (event.type === 'pageRefresh' ? event.chart.region : []));
    await cache.settle();
    expect(refreshed()).toEqual([]);
    await readWindow(
      US_VIEWS,
      { first: 1, last: undefined, after: undefined, before: undefined },
      { rows: true, facts: true },
    );
    await cache.settle();
    expect(refreshed()).toEqual(['US']);
  });

  it('is not the latest any more when its own operation has brought a newer copy', async () => {
    const { cache, onEvent } = createTitledCache();
    await cache.fetch({ chart: US_VIEWS, number: 1, pageSize: 20 }, createOperation());
    const { findVideo, readWindow, resultPages } = createChartReader({
      cache,
      operation: createOperation(),
      onEvent,
    });
    await findVideo('7');
    expect(resultPages.isCurrent).toBe(true);
    const window = { first: 1, last: undefined, after: undefined, before: undefined };
    await readWindow(DE_VIEWS, window, { rows: true, facts: true });
    expect(resultPages.isCurrent).toBe(false);
  });

  it('has no life of its own when a video is unknown', async () => {
    const { cache, onEvent } = createTitledCache();
    await cache.fetch({ chart: US_VIEWS, number: 1, pageSize: 20 }, createOperation());
    const { findVideo, resultPages } = createChartReader({ cache, operation: createOperation(), onEvent });
    expect([resultPages.isCacheable, resultPages.hasLookups]).toEqual([false, false]);
    await findVideo('2');
    expect([resultPages.isCacheable, resultPages.hasLookups]).toEqual([true, true]);
    await Promise.all([findVideo('1'), findVideo('none')]);
    expect([resultPages.isCacheable, resultPages.hasLookups]).toEqual([false, true]);
  });
});
