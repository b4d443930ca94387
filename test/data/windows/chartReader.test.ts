import { describe, expect, it } from '@jest/globals';
import { createChartReader } from '../../../src/data/windows/chartReader.ts';
import type { Cursor } from '../../../src/domain/cursor.ts';
import type { TrendingVideo } from '../../../src/domain/trendingVideo.ts';
import type { WindowArguments } from '../../../src/domain/window/index.ts';
import { createOperation, createTestCache } from '../../support/cache.ts';
import { createArraySource, makePage, makeVideos, range, US_VIEWS } from '../../support/charts.ts';
import { fc } from '../../support/fastCheck.ts';
import type { PageSource } from '../../support/sources.ts';

const ALL = { rows: true, facts: true };

function createReaders(source: PageSource) {
  const { cache } = createTestCache(source);
  /** A reader for one operation. */
  return () => createChartReader({ cache, operation: createOperation() });
}

/** The item ids of a whole chart, read in consecutive windows of `size`, each in its own operation. */
async function readAll(
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
    'gives every readable video once, in order, and buys each page once, when a chart is read %s',
    async (direction) => {
      await fc.assert(
        fc.asyncProperty(charts, fc.integer({ min: 1, max: 40 }), async (chart, size) => {
          const { source, bill } = createArraySource(chart);
          const readable = chart.rows.flatMap((row) => (row ? [row.itemId] : []));
          expect(await readAll(source, size, direction)).toEqual(readable);
          expect(new Set(bill).size).toBe(bill.length);
          // All pages of the chart; beyond its end, at most those that the first window expected to exist.
          const own = Math.ceil(chart.rows.length / chart.pageSize);
          expect(bill.filter((number) => number <= own)).toHaveLength(own);
          expect(bill.length - own).toBeLessThanOrEqual(direction === 'forwards' ? Math.ceil(size / 20) : 1);
        }),
        { numRuns: 200 },
      );
    },
  );

  it('collects the pages that all windows of an operation need, and buys each page once', async () => {
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

  it('takes chart facts, or the length that a tail needs, from a page that another alias needs anyway', async () => {
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

  it('buys one page for the chart facts that several aliases need', async () => {
    const { source, bill } = createArraySource({ rows: makeVideos(1, 500), pageSize: 20 });
    const reader = createReaders(source)();
    const facts = { rows: false, facts: true };
    await Promise.all([
      reader.readWindow(US_VIEWS, {}, facts),
      reader.readWindow(US_VIEWS, { after: { rank: 200, itemId: '200' } }, facts),
    ]);
    expect(bill).toEqual([1]);
  });

  it('returns a window at once when all its pages are cached, without a promise', async () => {
    const { source } = createArraySource({ rows: makeVideos(1, 500), pageSize: 20 });
    const createReader = createReaders(source);
    const first = createReader().readWindow(US_VIEWS, { first: 40 }, ALL);
    expect(first).toBeInstanceOf(Promise);
    expect(createReader().readWindow(US_VIEWS, { first: 30 }, ALL)).toBeInstanceOf(Promise);
    const { videos } = await first;
    const again = createReader().readWindow(US_VIEWS, { first: 40 }, ALL);
    expect(again).toMatchObject({ videos });
    expect(again).not.toBeInstanceOf(Promise);
  });

  it('requests all pages of a window before the first arrives', async () => {
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

  it('cuts a tail again when the chart turns out to be shorter than cached pages claim', async () => {
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

  it('follows a page size that changes while pages are cached', async () => {
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
    'reads a chart whose page size changes from %i to %i while page %i still arrives in the old one',
    async (from, to, late) => {
      const rows = makeVideos(1, 500);
      const requested = new Set<number>();
      const source: PageSource = async ({ number }, { onSent }) => {
        onSent();
        const pageSize = number === late && !requested.has(number) ? from : to;
        requested.add(number);
        return makePage(rows, number, pageSize);
      };
      const { videos } = await createReaders(source)().readWindow(US_VIEWS, { first: 40 }, ALL);
      expect(videos.map(({ video }) => Number(video.itemId))).toEqual(range(1, 40));
    },
  );

  it('treats the page that arrived last as the newest, whatever the wall clock says', async () => {
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

  it('rejects a chart whose page size keeps changing', async () => {
    let pageSize = 20;
    let requests = 0;
    const source: PageSource = async ({ number }, { onSent }) => {
      onSent();
      requests++;
      pageSize = pageSize === 20 ? 10 : 20;
      return makePage(makeVideos(1, 500), number, pageSize);
    };
    await expect(createReaders(source)().readWindow(US_VIEWS, { first: 60 }, ALL)).rejects.toMatchObject({
      code: 'UPSTREAM_BAD_RESPONSE',
    });
    expect(requests).toBeLessThan(25);
  });

  it('reports the age of the oldest page that the window was cut from', async () => {
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
