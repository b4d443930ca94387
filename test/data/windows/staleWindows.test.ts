import { describe, expect, it } from '@jest/globals';
import type { StatsCache } from '../../../src/data/stats/statsCache.ts';
import { createChartReader } from '../../../src/data/windows/chartReader.ts';
import type { ChartWindow } from '../../../src/data/windows/cutInSteps.ts';
import { recordHit } from '../../../src/data/windows/freshness.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import type { WindowArguments, WindowNeed } from '../../../src/domain/window/index.ts';
import { createOperation, createTestCache, settle, type TestCacheOptions } from '../../support/cache.ts';
import { createArraySource, makeVideos, range, US_VIEWS } from '../../support/charts.ts';
import type { PageSource } from '../../support/sources.ts';

/** No result here has numbers. */
const NO_NUMBERS = {} as StatsCache;

const ALL = { rows: true, facts: true };
const TTL_MS = 1000;

/** Readers of a chart that may move, and whose pages may fail. */
function createReaders(options: TestCacheOptions = {}) {
  const chart = { rows: makeVideos(1, 500), pageSize: 20 };
  const failing = new Set<number>();
  const { source, bill } = createArraySource(chart);
  let fetchedAt = 0;
  const flaky: PageSource = async (key, call) => {
    const page = await source(key, call);
    if (failing.has(key.number)) throw new ApiError('UPSTREAM_ERROR');
    return { ...page, fetchedAt: fetchedAt++ };
  };
  const { cache, clock } = createTestCache(flaky, { ttlMs: TTL_MS, ...options });

  async function read(args: WindowArguments, need: WindowNeed = ALL) {
    const operation = createOperation();
    const { readWindow, freshness } = createChartReader({ cache, operation });
    const window = await readWindow(US_VIEWS, args, need);
    return { ...toPlain(window), cost: operation.cost, freshness: freshness() };
  }

  /** The pages bought since the last call. */
  async function bought(): Promise<number[]> {
    await settle();
    return bill.splice(0).sort((a, b) => a - b);
  }

  /** Moves the video of rank r + `by` to rank r. */
  function rotate(by: number): void {
    chart.rows = makeVideos(1 + by, 500 + by);
  }

  return { chart, failing, clock, read, bought, rotate, cache };
}

function toPlain({ videos, facts }: ChartWindow) {
  return {
    ids: videos.map(({ video }) => Number(video.itemId)),
    ranks: videos.map(({ rank }) => rank),
    stale: facts?.stale,
    fetchedAt: facts?.fetchedAt,
  };
}

/** A cursor at the video that was at this rank at first. */
function videoAt(rank: number, id = rank) {
  return { rank, itemId: String(id) };
}

describe('a window past its time to live', () => {
  it('is served stale at once, while each of its pages is bought once for later reads', async () => {
    const { read, bought, clock, rotate } = createReaders();
    await read({ first: 100 });
    await bought();
    clock.advance(TTL_MS);
    rotate(3);

    const [stale, another] = await Promise.all([read({ first: 30 }), read({ first: 40 })]);
    expect(stale).toMatchObject({ ids: range(1, 30), stale: true, fetchedAt: 0 });
    expect(stale.cost).toEqual({
      requests: 0,
      credits: 0,
      pages: { cached: 0, stale: 2, shared: 0, fetched: 0 },
    });
    expect(another?.ids).toEqual(range(1, 40));
    expect(await bought()).toEqual([1, 2]);

    const fresh = await read({ first: 30 });
    expect(fresh).toMatchObject({ ids: range(4, 33), stale: false, fetchedAt: 5 });
    expect(fresh.cost.pages).toEqual({ cached: 2, stale: 0, shared: 0, fetched: 0 });
    expect(await bought()).toEqual([]);
  });

  it('is cut from one generation that has all its pages, rather than from newer and older pages', async () => {
    const { read, bought, clock, rotate } = createReaders();
    await read({ first: 60 });
    clock.advance(TTL_MS);
    rotate(3);
    await read({ first: 20 });
    expect(await bought()).toEqual([1, 1, 2, 3]);

    // Page 1 is new. With the old page 2 it would give only 37 videos: both have 21 to 23.
    expect(await read({ first: 40 })).toMatchObject({ ids: range(1, 40), stale: true });
    expect(await bought()).toEqual([2]);
    expect(await read({ first: 40 })).toMatchObject({ ids: range(4, 43), stale: false });
    expect(await read({ first: 20, after: videoAt(20) })).toMatchObject({ ids: range(21, 40) });
  });

  it('is cut from the newest copies when no generation has all its pages', async () => {
    const { read, clock, rotate, failing, bought } = createReaders();
    await read({ first: 20 });
    clock.advance(TTL_MS);
    rotate(3);
    failing.add(1);
    await read({ first: 20, after: videoAt(20) });
    await bought();
    const mixed = await read({ first: 40 });
    expect(mixed).toMatchObject({ ids: [...range(1, 20), ...range(24, 43)], stale: true, fetchedAt: 0 });
    expect(mixed.cost.pages).toEqual({ cached: 1, stale: 1, shared: 0, fetched: 0 });
    expect(await bought()).toEqual([1]);
  });

  it('waits for fresh copies when it has to wait for a page anyway', async () => {
    const { read, clock, rotate, bought } = createReaders();
    await read({ first: 20 });
    clock.advance(TTL_MS);
    rotate(3);
    await bought();
    const window = await read({ first: 40 });
    expect(window).toMatchObject({ ids: range(4, 43), stale: false });
    expect(window.cost).toEqual({
      requests: 2,
      credits: 4,
      pages: { cached: 0, stale: 0, shared: 0, fetched: 2 },
    });
    expect(await bought()).toEqual([1, 2]);
  });

  it('uses the stale copy of a page when a fresh one is unavailable', async () => {
    const { read, clock, failing } = createReaders();
    await read({ first: 20 });
    clock.advance(TTL_MS);
    failing.add(1);
    const window = await read({ first: 40 });
    expect(window).toMatchObject({ ids: range(1, 40), stale: true, fetchedAt: 0 });
    expect(window.cost).toEqual({
      requests: 2,
      credits: 4,
      pages: { cached: 0, stale: 1, shared: 0, fetched: 1 },
    });
  });

  it('fails only when a page has no copy to serve', async () => {
    const { read, clock, failing } = createReaders();
    await read({ first: 20 });
    clock.advance(TTL_MS);
    for (const number of [1, 2]) failing.add(number);
    expect(await read({ first: 20 })).toMatchObject({ ids: range(1, 20), stale: true });
    await expect(read({ first: 40 })).rejects.toMatchObject({ code: 'UPSTREAM_ERROR' });
  });

  it('reports the age of its chart facts', async () => {
    const { read, clock, chart, bought } = createReaders();
    await read({ first: 20 });
    clock.advance(TTL_MS);
    chart.rows = makeVideos(1, 300);
    const facts = { rows: false, facts: true };
    expect(await read({}, facts)).toMatchObject({ stale: true, fetchedAt: 0 });
    await bought();
    expect(await read({}, facts)).toMatchObject({ stale: false, fetchedAt: 1 });
  });

  it('becomes fresh again when its cursor has moved to pages that only the newest generation lacks', async () => {
    const { read, clock, rotate, bought } = createReaders();
    await read({ first: 60 });
    clock.advance(TTL_MS);
    rotate(-10);
    await read({ first: 40 });
    await bought();
    // The video of rank 20 is at 30 now: its window needs pages 2 and 3, and the only copy of page 3 is old.
    const args = { first: 20, after: videoAt(20) };
    expect(await read(args)).toMatchObject({ ids: range(21, 40), stale: true });
    expect(await bought()).toEqual([3]);
    const moved = await read(args);
    expect(moved).toMatchObject({ ids: range(21, 40), stale: false });
    expect(moved.ranks[0]).toBe(31);
  });

  it('becomes fresh again when the page size has changed', async () => {
    const { read, clock, chart, bought } = createReaders();
    await read({ first: 20 });
    clock.advance(TTL_MS);
    chart.pageSize = 10;
    for (const expected of [[1], [2]]) {
      expect(await read({ first: 20 })).toMatchObject({ ids: range(1, 20), stale: true });
      expect((await bought()).filter((number) => number <= 2)).toEqual(expect.arrayContaining(expected));
    }
    expect(await read({ first: 20 })).toMatchObject({ ids: range(1, 20), stale: false });
  });

  it('buys no page in the old page size when its cached result is served again', async () => {
    const { read, clock, chart, bought, cache } = createReaders();
    await read({ first: 20 });
    await bought();
    clock.advance(TTL_MS);
    chart.pageSize = 10;
    await read({ first: 20 });
    expect(await bought()).toEqual([1]);
    // Cut from the old first page: the second one is in flight.
    const { stale, freshness } = await read({ first: 20 });
    expect(stale).toBe(true);
    expect(freshness).toBeDefined();
    if (freshness) recordHit(cache, NO_NUMBERS, freshness);
    expect(await bought()).toEqual([2]);
  });

  it('does not fall further behind when it expires before each read', async () => {
    const { read, clock, chart, bought } = createReaders();
    for (const length of [300, 279, 258, 237, 216, 195, 174]) {
      chart.rows = makeVideos(1, length);
      const tail = await read({ last: 20 });
      await bought();
      // At most one read behind, and not at all when it is fresh.
      expect(tail.ranks.at(-1)).toBeLessThanOrEqual(length + 21);
      if (tail.stale === false) expect(tail.ranks.at(-1)).toBe(length);
      clock.advance(2 * TTL_MS);
    }
  });

  it('falls back on an old generation when newer pages are unavailable', async () => {
    const { read, clock, chart, failing } = createReaders();
    chart.rows = makeVideos(1, 300);
    await read({ last: 20 });
    clock.advance(TTL_MS);
    chart.rows = makeVideos(1, 500);
    await read({ first: 20 });
    await settle();
    clock.advance(2 * TTL_MS);
    // By the newest generation the tail is on page 25, which is not cached.
    failing.add(25);
    expect(await read({ last: 20 })).toMatchObject({ ids: range(281, 300), stale: true });
  });

  it('is refreshed when it is empty because the chart was too short', async () => {
    const { read, clock, chart, bought } = createReaders();
    chart.rows = makeVideos(1, 30);
    await read({ first: 20 });
    const rows = { rows: true, facts: false };
    const args = { first: 20, after: videoAt(100) };
    expect((await read(args, rows)).ids).toEqual([]);
    expect(await bought()).toEqual([1]);
    chart.rows = makeVideos(1, 500);
    clock.advance(TTL_MS);
    const seen: number[][] = [];
    for (const page of [1, 6]) {
      seen.push((await read(args, rows)).ids);
      expect(await bought()).toEqual([page]);
    }
    expect(seen).toEqual([[], []]);
    expect((await read(args, rows)).ids).toEqual(range(101, 120));
  });

  it("is refreshed when it is empty because of the rank of the cursor's video on a stale page", async () => {
    for (const facts of [true, false]) {
      const { read, clock, rotate, bought } = createReaders();
      await read({ first: 20 });
      await read({ first: 20, after: videoAt(80) });
      clock.advance(TTL_MS);
      rotate(-40);
      await bought();
      const args = { last: 20, before: { rank: 41, itemId: '1' } };
      const lengths: number[] = [];
      for (let turn = 0; turn < 4; turn++) {
        lengths.push((await read(args, { rows: true, facts })).ids.length);
        await settle();
      }
      expect(lengths.at(-1)).toBe(20);
    }
  });

  it('is cut without pages that upstream refuses because the chart has shrunk', async () => {
    const chart = { rows: makeVideos(1, 500), pageSize: 20 };
    const { source } = createArraySource(chart);
    const strict: PageSource = async (key, options) => {
      const page = await source(key, options);
      if (page.rows.length === 0) throw new ApiError('BAD_USER_INPUT');
      return page;
    };
    const { cache, clock } = createTestCache(strict, { ttlMs: TTL_MS });
    const read = async (args: WindowArguments) =>
      toPlain(
        await createChartReader({ cache, operation: createOperation() }).readWindow(US_VIEWS, args, ALL),
      );
    await read({ first: 20 });
    await read({ last: 20 });
    chart.rows = makeVideos(1, 400);
    clock.advance(TTL_MS);
    expect(await read({ last: 20 })).toMatchObject({ stale: true, ids: range(481, 500) });
    await settle();
    expect(await read({ last: 20 })).toMatchObject({ stale: false, ids: range(381, 400) });
  });

  it('starts after the video of its cursor, even when the page with that video is not bought again', async () => {
    const { read, clock, rotate, bought } = createReaders();
    await read({ first: 100 });
    clock.advance(TTL_MS);
    rotate(-30);
    await read({ first: 60 });
    expect(await bought()).toEqual([1, 1, 2, 2, 3, 3, 4, 5]);
    const args = { first: 20, after: videoAt(10) };
    for (let generation = 0; generation < 3; generation++) {
      clock.advance(3 * TTL_MS);
      expect((await read(args)).ids).toEqual(range(11, 30));
      expect(await bought()).toEqual([3]);
    }
  });

  it('is refreshed when one of its covers expires, at no cost to the operation that reads it', async () => {
    const { read, clock, chart, bought } = createReaders();
    chart.rows = makeVideos(1, 500).map((video) => ({
      ...video,
      cover: 'https://a.example/b',
      coverExpiresAt: 300,
    }));
    await read({ first: 40 });
    await bought();
    clock.advance(300);
    const { cost, stale } = await read({ first: 20 });
    expect({ cost, stale }).toMatchObject({ cost: { requests: 0, pages: { cached: 1 } }, stale: false });
    expect(await bought()).toEqual([1]);
    await read({ first: 20 });
    expect(await bought()).toEqual([]);
  });

  it('counts a page once, however many aliases use it', async () => {
    const { read, cache } = createReaders();
    await read({ first: 40 });
    const operation = createOperation();
    const reader = createChartReader({ cache, operation });
    await reader.readWindow(US_VIEWS, { first: 30 }, ALL);
    await reader.readWindow(US_VIEWS, { first: 20, after: videoAt(20) }, ALL);
    await reader.readWindow(US_VIEWS, { first: 60 }, ALL);
    expect(operation.cost.pages).toEqual({ cached: 2, stale: 0, shared: 0, fetched: 1 });
  });
});

describe("an operation's deadline", () => {
  it('ends its wait for a page, which is cached when it arrives', async () => {
    let respond = (): void => undefined;
    const { source } = createArraySource({ rows: makeVideos(1, 500), pageSize: 20 });
    const slow: PageSource = async (key, options) => {
      const page = source(key, options);
      await new Promise<void>((resolve) => {
        respond = resolve;
      });
      return page;
    };
    const { cache, clock } = createTestCache(slow);
    const read = (deadlineAt?: number) =>
      createChartReader({ cache, operation: createOperation(deadlineAt) }).readWindow(US_VIEWS, {}, ALL);
    const late = read(clock.monotonic() + 20);
    await settle();
    clock.expireDeadlines(20);
    await expect(late).rejects.toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
    respond();
    await settle();
    expect((await read()).videos).toHaveLength(20);
  });
});
