import { describe, expect, it } from '@jest/globals';
import { createChartReader } from '../../src/data/chartReader.ts';
import type { ChartWindow } from '../../src/data/cutInSteps.ts';
import { ApiError } from '../../src/domain/errors.ts';
import type { PageSource } from '../../src/domain/page.ts';
import type { WindowArguments, WindowNeed } from '../../src/domain/window/index.ts';
import { createOperation, createTestCache, settle, type TestCacheOptions } from '../support/cache.ts';
import { createArraySource, makeVideos, range, US_VIEWS } from '../support/charts.ts';

const ALL = { rows: true, facts: true };
const TTL_MS = 1000;

/** Readers over a chart that may move, of which pages may fail. */
function createReaders(options: TestCacheOptions = {}) {
  const chart = { rows: makeVideos(1, 500), pageSize: 20 };
  const failing = new Set<number>();
  const { source, bill } = createArraySource(chart);
  let fetchedAt = 0;
  const flaky: PageSource = async (key, fetchOptions) => {
    const page = await source(key, fetchOptions);
    if (failing.has(key.number)) throw new ApiError('UPSTREAM_ERROR');
    return { ...page, fetchedAt: fetchedAt++ };
  };
  const { cache, clock, onEvent } = createTestCache(flaky, { ttlMs: TTL_MS, ...options });

  async function read(args: WindowArguments, need: WindowNeed = ALL) {
    const operation = createOperation();
    const window = await createChartReader(cache, operation, onEvent).readWindow(US_VIEWS, args, need);
    return { ...toPlain(window), cost: operation.cost };
  }

  /** The pages bought since the last call. */
  async function bought(): Promise<number[]> {
    await settle();
    return bill.splice(0).sort((a, b) => a - b);
  }

  /** From now on the video of rank r + `by` stands at rank r. */
  function rotate(by: number): void {
    chart.rows = makeVideos(1 + by, 500 + by);
  }

  return { chart, failing, clock, read, bought, rotate, cache, onEvent };
}

function toPlain({ videos, facts }: ChartWindow) {
  return {
    ids: videos.map(({ video }) => Number(video.itemId)),
    ranks: videos.map(({ rank }) => rank),
    stale: facts?.stale,
    fetchedAt: facts?.fetchedAt,
  };
}

/** A cursor behind the video that stood at this rank at first. */
function videoAt(rank: number, id = rank) {
  return { rank, itemId: String(id) };
}

describe('a window past its time to live', () => {
  it('is served at once as it was, and the pages that it asks for are bought once, for the next', async () => {
    const { read, bought, clock, rotate } = createReaders();
    await read({ first: 100 });
    await bought();
    clock.advance(TTL_MS);
    rotate(3);

    const [stale, another] = await Promise.all([read({ first: 30 }), read({ first: 40 })]);
    expect(stale).toMatchObject({ ids: range(1, 30), stale: true, fetchedAt: 0 });
    expect(stale.cost).toEqual({ requests: 0, pages: { cached: 0, stale: 2, shared: 0, fetched: 0 } });
    expect(another?.ids).toEqual(range(1, 40));
    expect(await bought()).toEqual([1, 2]);

    const fresh = await read({ first: 30 });
    expect(fresh).toMatchObject({ ids: range(4, 33), stale: false, fetchedAt: 5 });
    expect(fresh.cost.pages).toEqual({ cached: 2, stale: 0, shared: 0, fetched: 0 });
    expect(await bought()).toEqual([]);
  });

  it('is cut from one generation where that has all its pages, not from a newer page and an older one', async () => {
    const { read, bought, clock, rotate } = createReaders();
    await read({ first: 60 });
    clock.advance(TTL_MS);
    rotate(3);
    await read({ first: 20 });
    expect(await bought()).toEqual([1, 1, 2, 3]);

    // Page 1 is held anew. With page 2 as it was, three videos would be missing between them.
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

  it('waits for fresh copies where it has to wait for a page anyway', async () => {
    const { read, clock, rotate, bought } = createReaders();
    await read({ first: 20 });
    clock.advance(TTL_MS);
    rotate(3);
    await bought();
    const window = await read({ first: 40 });
    expect(window).toMatchObject({ ids: range(4, 43), stale: false });
    expect(window.cost).toEqual({ requests: 2, pages: { cached: 0, stale: 0, shared: 0, fetched: 2 } });
    expect(await bought()).toEqual([1, 2]);
  });

  it('takes the stale copy where the fresh one cannot be had', async () => {
    const { read, clock, failing } = createReaders();
    await read({ first: 20 });
    clock.advance(TTL_MS);
    failing.add(1);
    const window = await read({ first: 40 });
    expect(window).toMatchObject({ ids: range(1, 40), stale: true, fetchedAt: 0 });
    expect(window.cost).toEqual({ requests: 2, pages: { cached: 0, stale: 1, shared: 0, fetched: 1 } });
  });

  it('fails only when there is nothing to serve', async () => {
    const { read, clock, failing } = createReaders();
    await read({ first: 20 });
    clock.advance(TTL_MS);
    for (const number of [1, 2]) failing.add(number);
    expect(await read({ first: 20 })).toMatchObject({ ids: range(1, 20), stale: true });
    await expect(read({ first: 40 })).rejects.toMatchObject({ code: 'UPSTREAM_ERROR' });
  });

  it('says how old the chart facts are that it gives', async () => {
    const { read, clock, chart, bought } = createReaders();
    await read({ first: 20 });
    clock.advance(TTL_MS);
    chart.rows = makeVideos(1, 300);
    const facts = { rows: false, facts: true };
    expect(await read({}, facts)).toMatchObject({ stale: true, fetchedAt: 0 });
    await bought();
    expect(await read({}, facts)).toMatchObject({ stale: false, fetchedAt: 1 });
  });

  it('gets on when the cursor has moved to pages that only the newest generation lacks', async () => {
    const { read, clock, rotate, bought } = createReaders();
    await read({ first: 60 });
    clock.advance(TTL_MS);
    rotate(-10);
    await read({ first: 40 });
    await bought();
    // The video of rank 20 stands at 30 now: its window is on pages 2 and 3, and page 3 is held as it was.
    const args = { first: 20, after: videoAt(20) };
    expect(await read(args)).toMatchObject({ ids: range(21, 40), stale: true });
    expect(await bought()).toEqual([3]);
    const moved = await read(args);
    expect(moved).toMatchObject({ ids: range(21, 40), stale: false });
    expect(moved.ranks[0]).toBe(31);
  });

  it('gets on when the grid has changed', async () => {
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

  it('counts a page once, however many aliases use it', async () => {
    const { read, cache, onEvent } = createReaders();
    await read({ first: 40 });
    const operation = createOperation();
    const reader = createChartReader(cache, operation, onEvent);
    await reader.readWindow(US_VIEWS, { first: 30 }, ALL);
    await reader.readWindow(US_VIEWS, { first: 20, after: videoAt(20) }, ALL);
    await reader.readWindow(US_VIEWS, { first: 60 }, ALL);
    expect(operation.cost.pages).toEqual({ cached: 2, stale: 0, shared: 0, fetched: 1 });
  });
});

describe("an operation's deadline", () => {
  it('ends its wait for a page, which is kept when it comes', async () => {
    let answer = (): void => undefined;
    const { source } = createArraySource({ rows: makeVideos(1, 500), pageSize: 20 });
    const slow: PageSource = async (key, options) => {
      const page = source(key, options);
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return page;
    };
    const { cache, clock, onEvent } = createTestCache(slow);
    const read = (deadlineAt?: number) =>
      createChartReader(cache, createOperation(deadlineAt), onEvent).readWindow(US_VIEWS, {}, ALL);
    await expect(read(clock.monotonic() + 20)).rejects.toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
    answer();
    await settle();
    expect((await read()).videos).toHaveLength(20);
  });
});
