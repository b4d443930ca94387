import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { encodeCursor } from '../../src/domain/cursor.ts';
import { DAY_MS } from '../../src/domain/utcDay.ts';
import { describeEachExecution, startApp, type TestApp } from '../support/app.ts';
import { settle } from '../support/cache.ts';
import { range } from '../support/charts.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { type MovingChart, startMovingChart } from '../support/movingChart.ts';
import { until } from '../support/until.ts';

interface Edge {
  readonly rank: number;
  readonly node: { readonly itemId: string };
  readonly previousRank: number | null;
  readonly movement: string | null;
  readonly history: { readonly date: string; readonly rank: number }[];
}
interface Connection {
  readonly fetchedAt: string;
  readonly stale: boolean;
  readonly comparedWith: { readonly takenAt: string; readonly knownRanks: number } | null;
  readonly edges: Edge[];
}
interface Data {
  readonly trendingVideos: Connection;
}

const HOUR = 3_600_000;
const QUERY = `query ($first: Int, $after: String, $days: Int! = 7) {
  trendingVideos(first: $first, after: $after) {
    fetchedAt stale comparedWith { takenAt knownRanks }
    edges { rank node { itemId } previousRank movement history(days: $days) { date rank } }
  }
}`;

let chart: MovingChart;
let app: TestApp;
let clock: TestClock;

/** By default a page is fresh for an hour, and never served after that. */
async function start(variables: Record<string, string> = {}): Promise<void> {
  app = await startApp(chart.url, { CACHE_STALE_SECONDS: '0', ...variables }, { clock, random: () => 0 });
}

async function ask(variables: Record<string, unknown> = { first: 3 }, query = QUERY): Promise<Connection> {
  const { data, errors } = await app.query<Data>(query, variables);
  expect(errors).toBeUndefined();
  if (!data) throw new Error('no data');
  return data.trendingVideos;
}

/** Each video with its rank, previous rank and movement. */
function moves({ edges }: Connection): unknown[] {
  return edges.map(({ node, rank, previousRank, movement }) => [
    Number(node.itemId),
    rank,
    previousRank,
    movement,
  ]);
}

/** The points of a video, as `2026-01-01: 1`. */
function points({ edges }: Connection, id: number): string[] | undefined {
  const edge = edges.find(({ node }) => Number(node.itemId) === id);
  return edge?.history.map(({ date, rank }) => `${date}: ${rank}`);
}

describeEachExecution(() => {
  beforeEach(async () => {
    chart = await startMovingChart();
    chart.rows.US = range(1, 60);
    clock = createTestClock(Date.UTC(2026, 0, 1, 12));
  });
  afterEach(async () => {
    await app.close();
    await chart.close();
  });

  describe('the movement of videos', () => {
    it('is not known on the first day', async () => {
      await start();
      const first = await ask();
      expect(first.comparedWith).toBeNull();
      expect(moves(first)).toEqual([1, 2, 3].map((id) => [id, id, null, null]));
      expect(points(first, 2)).toEqual(['2026-01-01: 2']);
    });

    it('is that since the last state of the day before, and costs nothing', async () => {
      await start();
      await ask();
      clock.advance(DAY_MS);
      chart.rows.US = [2, 1, 3, 99, 4, 25, ...range(5, 20)];
      const second = await ask({ first: 7 });
      expect(second.comparedWith).toEqual({ takenAt: '2026-01-01T12:00:00.000Z', knownRanks: 20 });
      expect(moves(second)).toEqual([
        [2, 1, 2, 'UP'],
        [1, 2, 1, 'DOWN'],
        [3, 3, 3, 'SAME'],
        [99, 4, null, 'NEW'],
        [4, 5, 4, 'DOWN'],
        // It was on the chart, but on a page that nobody read.
        [25, 6, null, 'NEW'],
        [5, 7, 5, 'DOWN'],
      ]);
      expect(chart.pagesBought()).toEqual(['US:1', 'US:1']);
    });

    it('is that since the last of several states of that day', async () => {
      await start();
      await ask();
      clock.advance(2 * HOUR);
      chart.rows.US = [3, 2, 1, ...range(4, 60)];
      await ask();
      clock.advance(DAY_MS);
      chart.rows.US = range(1, 60);
      const second = await ask();
      expect(second.comparedWith?.takenAt).toBe('2026-01-01T14:00:00.000Z');
      expect(moves(second)).toEqual([
        [1, 1, 3, 'UP'],
        [2, 2, 2, 'SAME'],
        [3, 3, 1, 'DOWN'],
      ]);
    });

    it('cannot be told of a video below the known ranks that was not seen', async () => {
      await start();
      await ask();
      clock.advance(DAY_MS);
      expect(moves(await ask({ first: 22 })).slice(19)).toEqual([
        [20, 20, 20, 'SAME'],
        [21, 21, null, null],
        [22, 22, null, null],
      ]);
    });

    it('is known of a video that was seen below a gap, which ends the known ranks', async () => {
      await start();
      chart.rows.US = [...range(1, 10), null, ...range(12, 60)];
      await ask();
      clock.advance(DAY_MS);
      chart.rows.US = [12, 99, ...range(1, 58)];
      const second = await ask({ first: 20 });
      expect(second.comparedWith?.knownRanks).toBe(10);
      expect(moves(second).slice(0, 2)).toEqual([
        [12, 1, 12, 'UP'],
        [99, 2, null, 'NEW'],
      ]);
      expect(moves(second).at(12)).toEqual([11, 13, null, null]);
    });

    it('is that since an earlier day when rank 1 was not read on the day before', async () => {
      await start();
      await ask();
      clock.advance(DAY_MS);
      const after = encodeCursor({ region: 'US', period: 7, orderBy: 'VIEWS' }, { rank: 1, itemId: '1' });
      await ask();
      clock.advance(DAY_MS);
      chart.rows.US = [null, ...range(2, 60)];
      await ask({ first: 3, after });
      clock.advance(DAY_MS);
      chart.rows.US = range(1, 60);
      const fourth = await ask();
      expect(fourth.comparedWith?.takenAt).toBe('2026-01-02T12:00:00.000Z');
      // What was read on the day before is in the history all the same.
      expect(points(fourth, 2)).toEqual(
        ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04'].map((d) => `${d}: 2`),
      );
      expect(points(fourth, 1)).toEqual(['2026-01-01', '2026-01-02', '2026-01-04'].map((d) => `${d}: 1`));
    });

    it('is that since one snapshot for all pages of a window, although these are of two days', async () => {
      await start({ CACHE_TTL_SECONDS: String(30 * 3600) });
      clock.advance(-6 * HOUR);
      await ask({ first: 40 });
      clock.advance(41 * HOUR);
      chart.rows.US = [5, ...range(1, 4), ...range(6, 60)];
      await ask({ first: 20 });
      clock.advance(2 * HOUR);
      const third = await ask({ first: 40 });
      expect(third).toMatchObject({
        fetchedAt: '2026-01-02T23:00:00.000Z',
        comparedWith: { takenAt: '2026-01-01T06:00:00.000Z', knownRanks: 40 },
      });
      expect(moves(third).slice(0, 2)).toEqual([
        [5, 1, 5, 'UP'],
        [1, 2, 1, 'DOWN'],
      ]);
      expect(moves(third).at(39)).toEqual([40, 40, 40, 'SAME']);
      expect(points(third, 1)).toEqual(['2026-01-01: 1', '2026-01-02: 2']);
      expect(points(third, 40)).toEqual(['2026-01-01: 40', '2026-01-03: 40']);
    });

    it('has in the history of each row the days before that of its own page', async () => {
      await start({ CACHE_TTL_SECONDS: String(30 * 3600) });
      const after = encodeCursor({ region: 'US', period: 7, orderBy: 'VIEWS' }, { rank: 20, itemId: null });
      // Page 2 on the first day, page 1 on the second one, when one of its videos has moved up.
      await ask({ first: 20, after });
      clock.advance(DAY_MS);
      chart.rows.US = [1, 25, ...range(2, 24), ...range(26, 60)];
      const second = await ask({ first: 40 });
      expect(second).toMatchObject({ fetchedAt: '2026-01-01T12:00:00.000Z', comparedWith: null });
      expect(points(second, 25)).toEqual(['2026-01-01: 25', '2026-01-02: 2']);
      expect(points(second, 30)).toEqual(['2026-01-01: 30']);
    });

    it('follows pages of ten and of twenty on different days', async () => {
      await start();
      chart.pageSize = 10;
      await ask({ first: 15 });
      clock.advance(DAY_MS);
      chart.pageSize = 20;
      chart.rows.US = [15, ...range(1, 14), ...range(16, 60)];
      const second = await ask({ first: 21 });
      expect(second.comparedWith?.knownRanks).toBe(20);
      expect(moves(second)[0]).toEqual([15, 1, 15, 'UP']);
      clock.advance(DAY_MS);
      chart.pageSize = 10;
      const third = await ask({ first: 40 });
      expect(third.comparedWith?.knownRanks).toBe(40);
      expect(points(third, 15)).toEqual(['2026-01-01: 15', '2026-01-02: 1', '2026-01-03: 1']);
    });

    it('takes the place where a video was seen last, when pages of a day have it twice', async () => {
      await start();
      await ask({ first: 20 });
      clock.advance(60_000);
      // Page 1 is cached; page 2 has one of its videos by now.
      chart.rows.US = [...range(1, 20), 7, ...range(21, 60)];
      await ask({ first: 40 });
      clock.advance(DAY_MS);
      chart.rows.US = range(1, 60);
      const second = await ask({ first: 30 });
      expect(second.comparedWith?.knownRanks).toBe(40);
      expect(moves(second).at(6)).toEqual([7, 7, 21, 'UP']);
    });

    it('of pages that are served days later is that of the day on which they were fetched', async () => {
      await start({ CACHE_STALE_SECONDS: String(5 * 86_400) });
      await ask();
      clock.advance(DAY_MS + 2 * HOUR);
      chart.rows.US = [2, 1, ...range(3, 60)];
      await ask();
      await settleRefreshes(2);
      chart.isFailing = true;
      clock.advance(3 * DAY_MS);
      const late = await ask();
      expect(late).toMatchObject({
        stale: true,
        fetchedAt: '2026-01-02T14:00:00.000Z',
        comparedWith: { takenAt: '2026-01-01T12:00:00.000Z' },
      });
      expect(moves(late)[0]).toEqual([2, 1, 2, 'UP']);
      expect(points(late, 2)).toEqual(['2026-01-01: 2', '2026-01-02: 1']);
    });
  });

  describe('what is remembered', () => {
    it('is so many days, also in responses that are cached', async () => {
      await start({ HISTORY_DAYS: '3', CACHE_TTL_SECONDS: String(18 * 3600) });
      for (let day = 1; day <= 4; day++) {
        await ask();
        clock.advance(DAY_MS);
      }
      const fifth = await ask();
      expect(points(fifth, 1)).toEqual(['2026-01-03: 1', '2026-01-04: 1', '2026-01-05: 1']);
      clock.advance(13 * HOUR);
      expect(points(await ask(), 1)).toEqual(['2026-01-04: 1', '2026-01-05: 1']);
      expect(chart.requests).toHaveLength(5);
    });

    it('limits to the end of the day how long caches may have a response, but only if it was asked for', async () => {
      await start();
      clock.advance(11.5 * HOUR);
      const headers = { 'apollo-require-preflight': '1' };
      for (const [fields, seconds] of [
        ['edges { movement }', 1800],
        ['comparedWith { knownRanks }', 1800],
        ['edges { rank }', 3600],
      ] as const) {
        const query = { query: `{ trendingVideos(first: 1) { ${fields} } }` };
        const response = await app.server.inject({ url: '/graphql', query, headers });
        expect(response.headers['cache-control']).toContain(`max-age=${seconds},`);
      }
    });

    it('is nothing when HISTORY_DAYS is 0', async () => {
      await start({ HISTORY_DAYS: '0' });
      for (let day = 1; day <= 2; day++) {
        const connection = await ask();
        expect(connection.comparedWith).toBeNull();
        expect(moves(connection)[0]).toEqual([1, 1, null, null]);
        expect(connection.edges[0]?.history).toHaveLength(1);
        clock.advance(DAY_MS);
      }
    });

    it('is changed by a page of an earlier day that comes late, in whatever is cached', async () => {
      await start();
      await ask();
      clock.advance(DAY_MS);
      for (let times = 0; times < 4; times++) {
        const second = await ask();
        expect(second.comparedWith?.knownRanks).toBe(20);
        expect(moves(second)[1]).toEqual([2, 2, 2, 'SAME']);
      }
      // A wall clock that was set back stands for a replica whose pages arrive late: page 1 is cached, the others are not.
      clock.jump(-13 * HOUR);
      chart.rows.US = [...range(101, 140), 2, ...range(142, 160)];
      await ask({ first: 60 });
      clock.jump(13 * HOUR);
      const after = await ask();
      expect(after.comparedWith).toEqual({ takenAt: '2026-01-01T12:00:00.000Z', knownRanks: 60 });
      expect(moves(after)[1]).toEqual([2, 2, 41, 'UP']);
      expect(points(after, 2)).toEqual(['2026-01-01: 41', '2026-01-02: 2']);
      expect(chart.pagesBought()).toEqual(['US:1', 'US:1', 'US:2', 'US:3']);
    });
  });

  describe('the days of a history', () => {
    it('are as many as asked for, at most', async () => {
      await start();
      for (let day = 1; day <= 4; day++) {
        chart.rows.US = [...range(2, day), 1, ...range(day + 1, 60)];
        await ask();
        clock.advance(DAY_MS);
      }
      clock.advance(-DAY_MS);
      const all = ['2026-01-01: 1', '2026-01-02: 2', '2026-01-03: 3', '2026-01-04: 4'];
      for (const [days, expected] of [
        [1, all.slice(3)],
        [2, all.slice(2)],
        [7, all],
        [90, all],
      ] as const)
        expect(points(await ask({ first: 10, days }), 1)).toEqual(expected);
      const query = `query ($one: Int!) { trendingVideos(first: 10) {
        edges { node { itemId } history(days: $one) { rank date } long: history { rank } ...Two }
      } } fragment Two on TrendingVideoEdge { two: history(days: 2) { date rank } }`;
      for (let times = 0; times < 3; times++) {
        const { edges } = await ask({ one: 1 }, query);
        expect(edges[3]).toEqual({
          node: { itemId: '1' },
          history: [{ rank: 4, date: '2026-01-04' }],
          long: [{ rank: 1 }, { rank: 2 }, { rank: 3 }, { rank: 4 }],
          two: [
            { date: '2026-01-03', rank: 3 },
            { date: '2026-01-04', rank: 4 },
          ],
        });
      }
    });

    it.each([0, -1, 91, 2 ** 31 - 1])(
      'are refused when they are %d, before anything is paid for',
      async (days) => {
        await start();
        const literal = `{ trendingVideos { edges { history(days: ${days}) { rank } } } }`;
        for (const [query, variables] of [
          [QUERY, { days }],
          [literal, {}],
        ] as const) {
          const { data, errors } = await app.query(query, variables);
          expect(data).toEqual({ trendingVideos: null });
          expect(errors).toMatchObject([
            {
              message: `Argument "days": expected 1 to 90, but got: ${days}`,
              path: ['trendingVideos'],
              extensions: { code: 'BAD_USER_INPUT', retryable: false },
            },
          ]);
        }
        expect(chart.requests).toEqual([]);
      },
    );

    it('are refused when they are null', async () => {
      await start();
      const query = 'query ($days: Int = 7) { trendingVideos { edges { history(days: $days) { rank } } } }';
      const { errors } = await app.query(query, { days: null });
      expect(errors).toMatchObject([
        {
          message: 'Argument "days": expected 1 to 90, but got: null',
          extensions: { code: 'BAD_USER_INPUT' },
        },
      ]);
      expect(chart.requests).toEqual([]);
      expect((await ask({}, query)).edges).toHaveLength(20);
    });
  });

  describe('the cost', () => {
    it('of the snapshot alone is that of any other fact', async () => {
      await start();
      const query = 'query ($first: Int) { trendingVideos(first: $first) { comparedWith { knownRanks } } }';
      expect(await ask({ first: 0 }, query)).toEqual({ comparedWith: null });
      expect(await ask({ first: 100 }, query)).toEqual({ comparedWith: null });
      expect(chart.pagesBought()).toEqual(['US:1']);
      clock.advance(DAY_MS);
      expect(await ask({ first: 100 }, query)).toEqual({ comparedWith: { knownRanks: 20 } });
      expect(chart.pagesBought()).toEqual(['US:1', 'US:1']);
    });

    it('is none for an empty chart, which has no snapshot', async () => {
      chart.rows.US = [];
      await start();
      expect(await ask()).toMatchObject({ comparedWith: null, edges: [] });
      clock.advance(DAY_MS);
      chart.rows.US = range(1, 60);
      expect((await ask()).comparedWith).toBeNull();
    });
  });

  it('is left out where it is skipped', async () => {
    await start();
    await ask();
    clock.advance(DAY_MS);
    const query = `query ($with: Boolean!) { trendingVideos(first: 1) {
      edges { rank movement @include(if: $with) history(days: 2) @skip(if: $with) { date } }
    } }`;
    for (let times = 0; times < 3; times++) {
      expect(await ask({ with: true }, query)).toEqual({ edges: [{ rank: 1, movement: 'SAME' }] });
      const history = [{ date: '2026-01-01' }, { date: '2026-01-02' }];
      expect(await ask({ with: false }, query)).toEqual({ edges: [{ rank: 1, history }] });
    }
  });

  it('has each chart compared with its own past', async () => {
    chart.rows.IN = range(30, 60);
    await start();
    const query = `{ trendingVideos(first: 1) { edges { previousRank } }
      in: trendingVideos(region: "IN", first: 1) { edges { previousRank history { rank } } } }`;
    await ask({}, query);
    clock.advance(DAY_MS);
    chart.rows.IN = [31, 30, 1];
    const { data } = await app.query(query);
    expect(data).toEqual({
      trendingVideos: { edges: [{ previousRank: 1 }] },
      in: { edges: [{ previousRank: 2, history: [{ rank: 2 }, { rank: 1 }] }] },
    });
  });
});

describe('the demo data', () => {
  it('has days before the first one, at no cost', async () => {
    clock = createTestClock(Date.UTC(2026, 2, 10, 8));
    app = await startApp(new URL('http://127.0.0.1:9'), { KEYAPI_EMULATOR: 'true' }, { clock });
    const { data, extensions } = await app.query<Data>(QUERY, { first: 100, days: 90 });
    await app.close();
    expect(extensions.upstream).toMatchObject({ requests: 5, credits: 10 });
    const { comparedWith, edges } = data?.trendingVideos ?? { edges: [] };
    expect(comparedWith).toEqual({ takenAt: '2026-03-09T12:00:00.000Z', knownRanks: 500 });
    expect(edges).toHaveLength(100);
    // Whole charts are known: a video is new, or where it was.
    for (const { previousRank, movement } of edges) expect(movement === 'NEW').toBe(previousRank === null);
    expect([...new Set(edges.map(({ movement }) => movement))]).toEqual(
      expect.arrayContaining(['UP', 'SAME', 'NEW']),
    );
    const days = ['03', '04', '05', '06', '07', '08', '09', '10'].map((day) => `2026-03-${day}`);
    expect(edges[0]?.history).toEqual(days.map((date) => ({ date, rank: 1 })));
  });
});

/** Waits until upstream has received so many requests, and what it sent is cached. */
async function settleRefreshes(count: number): Promise<void> {
  await until(() => chart.requests.length >= count);
  await settle();
}
