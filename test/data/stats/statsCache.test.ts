import { describe, expect, it } from '@jest/globals';
import { createBuyStats } from '../../../src/data/stats/buyStats.ts';
import { createUnsharedFetch } from '../../../src/data/stats/fetchUnshared.ts';
import { OperationStats, type StatsResult } from '../../../src/data/stats/operationStats.ts';
import { StatsCache } from '../../../src/data/stats/statsCache.ts';
import { ENTRY_BYTES, StatsStore } from '../../../src/data/stats/statsStore.ts';
import { NegativeCache } from '../../../src/data/upstream/negativeCache.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import type { Operation } from '../../../src/domain/operation.ts';
import type { CachedPage } from '../../../src/domain/page.ts';
import type { Source } from '../../../src/domain/source.ts';
import {
  type BatchStats,
  MAX_BATCH,
  type StatsBatch,
  statsEndpoint,
} from '../../../src/domain/videoStats.ts';
import { createOperation, settle } from '../../support/cache.ts';
import { makePage, makeVideo, range } from '../../support/charts.ts';
import { createTestClock } from '../../support/clock.ts';
import { fc } from '../../support/fastCheck.ts';
import { createEvents, sent } from '../../support/sources.ts';

const TTL = 1000;
const STALE = 10_000;

/** A batch that was bought: its videos, what each of them was to the cache at that moment, and how to end the call. */
interface Purchase {
  readonly batch: StatsBatch;
  readonly background: boolean;
  readonly deadline: () => number;
  readonly resolve: (unknown?: ReadonlySet<string>) => void;
  readonly reject: (error: ApiError) => void;
  /** Ends the call as one that was not made. */
  readonly refuse: (error: ApiError) => void;
}

/** A cache of numbers on charts of 100 videos, `chart * 1000 + rank`, whose calls wait until the test ends them. */
function createHarness(maxBytes = 2 ** 20, isStopped = () => false) {
  const clock = createTestClock();
  const store = new StatsStore({ clock, staleMs: STALE, maxBytes });
  const failures = new NegativeCache({ endpoint: statsEndpoint, clock, errorTtlMs: 100, ttlMs: TTL });
  const purchases: Purchase[] = [];
  const inFlight = new Set<Purchase>();
  const source: Source<StatsBatch, BatchStats> = (batch, { background, deadline, onSent }) => {
    onSent();
    return new Promise((resolve, reject) => {
      const purchase: Purchase = {
        batch,
        background,
        deadline,
        resolve: (unknown = new Set()) => {
          inFlight.delete(purchase);
          resolve(
            new Map(batch.map((id) => [id, unknown.has(id) ? null : makeStats(Number(id), clock.now())])),
          );
        },
        reject: (error) => {
          inFlight.delete(purchase);
          reject(sent(error));
        },
        refuse: (error) => {
          inFlight.delete(purchase);
          reject(error);
        },
      };
      purchases.push(purchase);
      inFlight.add(purchase);
    });
  };
  const { onEvent } = createEvents();
  const buy = createBuyStats({ source, store, failures, clock, ttlMs: TTL, onEvent });
  const cache = new StatsCache({
    fetchStats: createUnsharedFetch(buy, store),
    isStopped,
    store,
    failures,
    clock,
    refreshTimeoutMs: 10_000,
  });
  return { clock, store, cache, purchases, inFlight };
}

function makeStats(views: number, fetchedAt: number) {
  const none = { likes: null, comments: null, shares: null, favorites: null, publishedAt: null };
  return { views, ...none, fetchedAt };
}

const pages = new Map<string, CachedPage>();

/** The page of a chart that has this rank: always the same object. */
function pageOf(chart: number, rank: number): CachedPage {
  const number = Math.ceil(rank / 20);
  const id = `${chart}:${number}`;
  const rows = range(1, 100).map((row) => makeVideo(chart * 1000 + row));
  const page = pages.get(id) ?? makePage(rows, number, 20);
  pages.set(id, page);
  return page;
}

/** The videos of a window. */
function windowOf(chart: number, first: number, last: number) {
  return range(first, Math.min(last, 100)).map((rank) => ({
    video: makeVideo(chart * 1000 + rank),
    page: pageOf(chart, rank),
  }));
}

/** Reads a window in an operation of its own. */
async function read(
  cache: StatsCache,
  videos: ReturnType<typeof windowOf>,
  operation: Operation = createOperation(),
): Promise<{ results: (StatsResult | undefined)[]; cost: Operation['cost'] }> {
  const stats = new OperationStats(cache, operation);
  await stats.load(videos);
  return { results: videos.map(({ video }) => stats.get(video.itemId)), cost: operation.cost };
}

describe('StatsCache', () => {
  it('never buys numbers twice within their time to live, and fills every batch that has room', async () => {
    const window = fc.record({
      type: fc.constant('read' as const),
      chart: fc.integer({ min: 1, max: 2 }),
      first: fc.integer({ min: 1, max: 100 }),
      size: fc.integer({ min: 1, max: 45 }),
    });
    const step = fc.oneof(
      { weight: 4, arbitrary: window },
      { weight: 2, arbitrary: fc.record({ type: fc.constant('end' as const), index: fc.nat() }) },
      {
        weight: 1,
        arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.constantFrom(1, 400, TTL, STALE) }),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { clock, store, cache, purchases, inFlight } = createHarness();
        const reads: Promise<unknown>[] = [];
        /** What an id was bought for last, by when it arrived: undefined while it is in flight. */
        const boughtUntil = new Map<string, number>();
        let checked = 0;

        /** Checks the batches that were bought since the last check, when all of a tick are known. */
        const check = (): void => {
          const fresh = purchases.slice(checked);
          const buying = new Set(fresh.flatMap(({ batch }) => batch));
          expect(buying.size).toBe(fresh.reduce((sum, { batch }) => sum + batch.length, 0));
          for (const { batch } of fresh) {
            for (const id of batch) expect(clock.monotonic() >= (boughtUntil.get(id) ?? 0)).toBe(true);
            for (const id of batch) boughtUntil.set(id, Number.POSITIVE_INFINITY);
            expect(batch.length).toBeLessThanOrEqual(MAX_BATCH);
          }
          for (const { batch } of fresh.filter(({ batch }) => batch.length < MAX_BATCH)) {
            const neighbours = batch.flatMap((id) => {
              const [chart, rank] = [Math.floor(Number(id) / 1000), Number(id) % 1000];
              return pageOf(chart, rank).rows.flatMap((row) => row?.itemId ?? []);
            });
            for (const id of neighbours) {
              const entry = store.peek(id);
              expect(
                boughtUntil.get(id) === Number.POSITIVE_INFINITY || (entry && store.isFresh(entry)),
              ).toBe(true);
            }
          }
          checked = purchases.length;
        };
        const end = async (purchase: Purchase): Promise<void> => {
          purchase.resolve();
          for (const id of purchase.batch) boughtUntil.set(id, clock.monotonic() + TTL);
          await settle();
        };

        for (const action of steps) {
          if (action.type === 'read') {
            const videos = windowOf(action.chart, action.first, action.first + action.size - 1);
            reads.push(
              read(cache, videos).then(({ results }) => {
                for (const [index, result] of results.entries())
                  expect(result).toMatchObject({ views: Number(videos[index]?.video.itemId) });
              }),
            );
          } else if (action.type === 'wait') clock.advance(action.ms);
          else {
            const purchase = [...inFlight][action.index % Math.max(1, inFlight.size)];
            if (purchase) await end(purchase);
          }
          await settle();
          check();
        }
        while (inFlight.size > 0) for (const purchase of inFlight) await end(purchase);
        check();
        await Promise.all(reads);
      }),
      { numRuns: 150 },
    );
  });

  it('does not refresh stale numbers while calls are stopped', async () => {
    let isStopped = true;
    const { clock, cache, purchases } = createHarness(2 ** 20, () => isStopped);
    const first = read(cache, windowOf(1, 1, 10));
    await settle();
    purchases[0]?.resolve();
    await first;
    clock.advance(TTL);
    expect((await read(cache, windowOf(1, 1, 10))).results[0]).toMatchObject({ views: 1001, stale: true });
    expect(purchases).toHaveLength(1);
    isStopped = false;
    await read(cache, windowOf(1, 1, 10));
    expect(purchases).toHaveLength(2);
    purchases[1]?.resolve();
  });

  it('serves stale numbers when the call that an operation waits for fails, and errors for the others', async () => {
    const { clock, cache, purchases } = createHarness();
    const first = read(cache, windowOf(1, 1, 10));
    await settle();
    purchases[0]?.resolve();
    await first;
    clock.advance(TTL);
    const second = read(cache, windowOf(1, 8, 14));
    await settle();
    expect(purchases[1]?.batch.slice(0, 7)).toEqual(['1011', '1012', '1013', '1014', '1008', '1009', '1010']);
    purchases[1]?.reject(new ApiError('UPSTREAM_ERROR'));
    const { results, cost } = await second;
    expect(
      results.map((result) =>
        result instanceof ApiError ? result.code : result && 'stale' in result && result.stale,
      ),
    ).toEqual([...Array(3).fill(true), ...Array(4).fill('UPSTREAM_ERROR')]);
    expect(cost).toMatchObject({
      requests: 1,
      credits: 1,
      stats: { cached: 0, stale: 3, shared: 0, fetched: 0 },
    });
    // Remembered by video: a batch with others is not made again at once, nor are the failed ones put into one.
    const third = read(cache, windowOf(1, 14, 18));
    await settle();
    // Not 1014 to 1017, which failed; then those that have expired.
    expect(purchases[2]?.batch).toEqual(['1018', '1019', '1020', ...range(1001, 1007).map(String)]);
    purchases[2]?.resolve();
    expect((await third).results.map((result) => result instanceof ApiError)).toEqual([
      ...Array(4).fill(true),
      false,
    ]);
  });

  it('buys numbers itself when the call that it waited for was not made', async () => {
    const { clock, cache, purchases } = createHarness();
    const first = read(cache, windowOf(1, 1, 1));
    await settle();
    purchases[0]?.resolve();
    await first;
    clock.advance(TTL);
    await read(cache, windowOf(1, 1, 1));
    // A refresh that has the missing video 12 in its batch, for which nobody reserved credits, and which is shed first.
    const second = read(cache, windowOf(1, 12, 12));
    await settle();
    expect(purchases[1]).toMatchObject({ background: true });
    expect(purchases[1]?.batch).toContain('1012');
    purchases[1]?.refuse(new ApiError('UPSTREAM_UNAVAILABLE'));
    await settle();
    expect(purchases[2]).toMatchObject({ background: false });
    purchases[2]?.resolve();
    const { results, cost } = await second;
    expect(results).toMatchObject([{ views: 1012 }]);
    expect(cost).toMatchObject({ requests: 1, stats: { fetched: 1 } });
    // Once is enough: an own call that is not made is an error.
    const third = read(cache, windowOf(1, 61, 61));
    await settle();
    purchases[3]?.refuse(new ApiError('UPSTREAM_UNAVAILABLE'));
    expect((await third).results).toMatchObject([{ code: 'UPSTREAM_UNAVAILABLE' }]);
    expect(purchases).toHaveLength(4);
  });

  it('counts the numbers behind a cached response as used', async () => {
    const { cache, purchases } = createHarness(30 * ENTRY_BYTES);
    for (const first of [1, 11, 21]) {
      const reading = read(cache, windowOf(1, first, first + 9));
      await settle();
      purchases.at(-1)?.resolve();
      await reading;
    }
    cache.touch(pageOf(1, 1));
    const reading = read(cache, windowOf(1, 41, 50));
    await settle();
    purchases.at(-1)?.resolve();
    await reading;
    expect([cache.peek('1001'), cache.peek('1021')]).toMatchObject([{ views: 1001 }, undefined]);
  });

  it('waits no longer than the deadline of the operation, and keeps what comes later', async () => {
    const { clock, cache, purchases } = createHarness();
    const early = read(cache, windowOf(1, 1, 3), createOperation(clock.monotonic() + 50));
    await settle();
    const until = clock.monotonic() + 5000;
    const late = read(cache, windowOf(1, 1, 3), createOperation(until));
    await settle();
    expect(purchases[0]?.deadline()).toBe(until);
    clock.advance(50);
    clock.expireDeadlines(50);
    expect((await early).results.map((result) => result instanceof ApiError && result.code)).toEqual(
      Array(3).fill('UPSTREAM_TIMEOUT'),
    );
    purchases[0]?.resolve();
    const { results, cost } = await late;
    expect(results).toMatchObject([{ views: 1001 }, { views: 1002 }, { views: 1003 }]);
    expect(cost).toMatchObject({ requests: 0, stats: { cached: 0, stale: 0, shared: 3, fetched: 0 } });
    expect(purchases).toHaveLength(1);
  });

  it('buys no more than the operation may spend', async () => {
    const { cache, purchases } = createHarness();
    const operation = { ...createOperation(), creditsLeft: 2 };
    const reading = read(cache, windowOf(1, 1, 40), operation);
    await settle();
    for (const { resolve } of purchases) resolve();
    const { results, cost } = await reading;
    expect(purchases).toHaveLength(2);
    expect(results.map((result) => result instanceof ApiError && result.code)).toEqual([
      ...Array(20).fill(false),
      ...Array(20).fill('OPERATION_TOO_EXPENSIVE'),
    ]);
    expect(cost).toMatchObject({ requests: 2, credits: 2 });
  });

  it('is bounded: the least recently used numbers are evicted first', async () => {
    const { cache, store, purchases } = createHarness(30 * ENTRY_BYTES);
    for (const first of [1, 11, 21]) {
      const reading = read(cache, windowOf(1, first, first + 9));
      await settle();
      purchases.at(-1)?.resolve();
      await reading;
    }
    await read(cache, windowOf(1, 1, 10));
    const reading = read(cache, windowOf(1, 31, 40));
    await settle();
    purchases.at(-1)?.resolve();
    await reading;
    expect(store.bytes).toBe(30 * ENTRY_BYTES);
    // Reading a window counts as use of all numbers on its page.
    expect([cache.peek('1001'), cache.peek('1011'), cache.peek('1021')]).toMatchObject([
      { views: 1001 },
      { views: 1011 },
      undefined,
    ]);
  });
});
