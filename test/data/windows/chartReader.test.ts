import { describe, expect, it } from '@jest/globals';
import { createChartReader } from '../../../src/data/windows/chartReader.ts';
import type { Cursor } from '../../../src/domain/cursor.ts';
import type { PageSource } from '../../../src/domain/page.ts';
import type { TrendingVideo } from '../../../src/domain/trendingVideo.ts';
import type { WindowArguments } from '../../../src/domain/window/index.ts';
import { createOperation, createTestCache } from '../../support/cache.ts';
import { createArraySource, makePage, makeVideos, range, US_VIEWS } from '../../support/charts.ts';
import { fc } from '../../support/fastCheck.ts';

const ALL = { rows: true, facts: true };

function createReaders(source: PageSource) {
  const { cache, onEvent } = createTestCache(source);
  /** A reader for one operation. */
  return () => createChartReader({ cache, operation: createOperation(), onEvent });
}

/** Windows of `size` one after the other, each an operation, until the flag says that none is left. */
async function walk(
  source: PageSource,
  size: number,
  direction: 'forwards' | 'backwards',
): Promise<string[]> {
  const createReader = createReaders(source);
  const ids: string[] = [];
  let cursor: Cursor | undefined;
  for (;;) {
    const args: WindowArguments =
      direction === 'forwards' ? { first: size, after: cursor } : { last: size, before: cursor };
    const { ranks, videos, facts } = await createReader().readWindow(US_VIEWS, args, ALL);
    const window = videos.map(({ video }) => video.itemId);
    if (direction === 'forwards') ids.push(...window);
    else ids.unshift(...window);
    const isOver = direction === 'forwards' ? ranks.last >= (facts?.chartLength ?? 0) : ranks.first <= 1;
    if (isOver || ranks.last < ranks.first) return ids;
    const edge = direction === 'forwards' ? videos.at(-1) : videos.at(0);
    cursor = edge
      ? { rank: edge.rank, itemId: edge.video.itemId }
      : { rank: direction === 'forwards' ? ranks.last : ranks.first, itemId: null };
  }
}

const charts = fc.record({
  rows: fc.array(fc.boolean(), { maxLength: 130 }).map((readable): (TrendingVideo | null)[] => {
    const videos = makeVideos(1, readable.length);
    return videos.map((video, index) => (readable[index] || index % 3 > 0 ? video : null));
  }),
  pageSize: fc.integer({ min: 1, max: 20 }),
});

describe('readWindow', () => {
  it.each(['forwards', 'backwards'] as const)(
    'gives every readable video once, in order, and buys each page once, when a chart is walked %s',
    async (direction) => {
      await fc.assert(
        fc.asyncProperty(charts, fc.integer({ min: 1, max: 40 }), async (chart, size) => {
          const { source, bill } = createArraySource(chart);
          const readable = chart.rows.flatMap((row) => (row ? [row.itemId] : []));
          expect(await walk(source, size, direction)).toEqual(readable);
          expect(new Set(bill).size).toBe(bill.length);
          // All pages of the chart, and beyond them at most what the first window took the chart to have.
          const own = Math.ceil(chart.rows.length / chart.pageSize);
          expect(bill.filter((number) => number <= own)).toHaveLength(own);
          expect(bill.length - own).toBeLessThanOrEqual(direction === 'forwards' ? Math.ceil(size / 20) : 1);
        }),
        { numRuns: 200 },
      );
    },
  );

  it('collects what all windows of an operation want and buys each page once', async () => {
    const { source, bill } = createArraySource({ rows: makeVideos(1, 500), pageSize: 20 });
    const reader = createReaders(source)();
    await Promise.all([
      reader.readWindow(US_VIEWS, { first: 50 }, ALL),
      reader.readWindow(US_VIEWS, { first: 30 }, ALL),
      reader.readWindow(US_VIEWS, { first: 20, after: { rank: 45, itemId: '45' } }, ALL),
      reader.readWindow(US_VIEWS, {}, { rows: false, facts: true }),
    ]);
    expect(bill).toEqual([1, 2, 3, 4]);
  });

  it('takes the facts of a chart, or its length for a tail, from a page that another alias wants anyway', async () => {
    const { source, bill } = createArraySource({ rows: makeVideos(1, 500), pageSize: 20 });
    const reader = createReaders(source)();
    const facts = { rows: false, facts: true };
    const after = { rank: 45, itemId: '45' };
    const [total, , otherTotal, tail] = await Promise.all([
      reader.readWindow(US_VIEWS, {}, facts),
      reader.readWindow(US_VIEWS, { first: 5, after }, ALL),
      reader.readWindow(US_VIEWS, { after: { rank: 200, itemId: '200' } }, facts),
      reader.readWindow(US_VIEWS, { last: 5 }, ALL),
    ]);
    expect([total, otherTotal, tail].map((window) => window?.facts?.chartLength)).toEqual([500, 500, 500]);
    expect(bill).toEqual([3, 25]);
  });

  it('buys one page for the facts that several aliases want of a chart', async () => {
    const { source, bill } = createArraySource({ rows: makeVideos(1, 500), pageSize: 20 });
    const reader = createReaders(source)();
    const facts = { rows: false, facts: true };
    await Promise.all([
      reader.readWindow(US_VIEWS, {}, facts),
      reader.readWindow(US_VIEWS, { after: { rank: 200, itemId: '200' } }, facts),
    ]);
    expect(bill).toEqual([1]);
  });

  it('starts all pages of a window before the first has come', async () => {
    const { source, bill } = createArraySource({ rows: makeVideos(1, 500), pageSize: 20 });
    const pending: (() => void)[] = [];
    const slow: PageSource = (key, options) =>
      source(key, options).then((page) => new Promise((resolve) => void pending.push(() => resolve(page))));
    const window = createReaders(slow)().readWindow(US_VIEWS, { first: 100 }, ALL);
    await new Promise(setImmediate);
    expect(bill).toEqual([1, 2, 3, 4, 5]);
    for (const resolve of pending) resolve();
    expect((await window).videos).toHaveLength(100);
  });

  it('cuts a tail anew when the chart turns out shorter than it was known to be', async () => {
    const chart = { rows: makeVideos(1, 500), pageSize: 20 };
    const { source, bill } = createArraySource(chart);
    const createReader = createReaders(source);
    await createReader().readWindow(US_VIEWS, { first: 20 }, ALL);
    chart.rows = makeVideos(1, 455);
    const tail = await createReader().readWindow(US_VIEWS, { last: 10 }, ALL);
    expect(tail.videos.map(({ rank }) => rank)).toEqual([446, 447, 448, 449, 450, 451, 452, 453, 454, 455]);
    expect(tail.facts?.chartLength).toBe(455);
    expect(bill).toEqual([1, 25, 23]);
  });

  it('follows a grid that changes while pages are held', async () => {
    const chart = { rows: makeVideos(1, 500), pageSize: 20 };
    const { source } = createArraySource(chart);
    const createReader = createReaders(source);
    await createReader().readWindow(US_VIEWS, { first: 40 }, ALL);
    chart.pageSize = 10;
    const window = await createReader().readWindow(US_VIEWS, { first: 60 }, ALL);
    expect(window.videos.map(({ rank, video }) => [rank, video.itemId])).toEqual(
      makeVideos(1, 60).map(({ itemId }) => [Number(itemId), itemId]),
    );
  });

  it.each([
    [20, 10, 1],
    [20, 10, 2],
    [10, 20, 1],
    [10, 20, 2],
  ])(
    'reads a chart whose limit goes from %i to %i while page %i is still answered by the old one',
    async (from, to, late) => {
      const rows = makeVideos(1, 500);
      const asked = new Set<number>();
      const source: PageSource = async ({ number }, { onRequest }) => {
        onRequest();
        const pageSize = number === late && !asked.has(number) ? from : to;
        asked.add(number);
        return makePage(rows, number, pageSize);
      };
      const { videos } = await createReaders(source)().readWindow(US_VIEWS, { first: 40 }, ALL);
      expect(videos.map(({ video }) => Number(video.itemId))).toEqual(range(1, 40));
    },
  );

  it('takes the newest page for what came last, whatever the wall clock says', async () => {
    const chart = { rows: makeVideos(1, 500), pageSize: 20 };
    const { source } = createArraySource(chart);
    let fetchedAt = 1_000_000;
    const createReader = createReaders(async (key, options) => ({
      ...(await source(key, options)),
      fetchedAt,
    }));
    await createReader().readWindow(US_VIEWS, { first: 20 }, ALL);
    fetchedAt = 500_000;
    chart.rows = makeVideos(1, 300);
    const after = { rank: 290, itemId: '290' };
    const { videos, facts } = await createReader().readWindow(US_VIEWS, { first: 20, after }, ALL);
    expect(videos).toHaveLength(10);
    expect(facts?.chartLength).toBe(300);
  });

  it('gives up on a chart whose grid never settles', async () => {
    let pageSize = 20;
    let asked = 0;
    const source: PageSource = async ({ number }, { onRequest }) => {
      onRequest();
      asked++;
      pageSize = pageSize === 20 ? 10 : 20;
      return makePage(makeVideos(1, 500), number, pageSize);
    };
    await expect(createReaders(source)().readWindow(US_VIEWS, { first: 60 }, ALL)).rejects.toMatchObject({
      code: 'UPSTREAM_BAD_RESPONSE',
    });
    expect(asked).toBeLessThan(25);
  });

  it('takes its age from the oldest page that it was cut from', async () => {
    const { source } = createArraySource({ rows: makeVideos(1, 500), pageSize: 20 });
    let fetchedAt = 1000;
    const aging: PageSource = async (key, options) => ({
      ...(await source(key, options)),
      fetchedAt: fetchedAt++,
    });
    const createReader = createReaders(aging);
    await createReader().readWindow(US_VIEWS, { first: 20 }, ALL);
    await createReader().readWindow(US_VIEWS, { first: 20, after: { rank: 20, itemId: '20' } }, ALL);
    const age = async (args: WindowArguments) =>
      (await createReader().readWindow(US_VIEWS, args, ALL)).facts?.fetchedAt;
    expect(await age({ first: 40 })).toBe(1000);
    expect(await age({ first: 10, after: { rank: 20, itemId: '20' } })).toBe(1001);
  });
});
