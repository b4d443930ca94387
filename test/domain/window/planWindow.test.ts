import { describe, expect, it } from '@jest/globals';
import { connectionFromArray, offsetToCursor } from 'graphql-relay';
import type { CachedPage } from '../../../src/domain/page.ts';
import type { TrendingVideo } from '../../../src/domain/trendingVideo.ts';
import {
  cutWindow,
  type KnownPages,
  planWindow,
  type WindowArguments,
  type WindowNeed,
} from '../../../src/domain/window/index.ts';
import { makePage, makeVideos, range } from '../../support/charts.ts';

const ALL: WindowNeed = { rows: true, facts: true };

interface Cut {
  readonly ids: number[];
  readonly ranks: number[];
  readonly flags: { hasPreviousPage: boolean; hasNextPage: boolean };
  readonly bought: number[];
}

interface SolveOptions {
  readonly cached?: readonly CachedPage[];
  /** All known pages; by default those of `cached`, as fresh ones. */
  readonly known?: KnownPages;
  readonly need?: WindowNeed;
  /** The page that upstream returns. */
  readonly toPage?: (rows: readonly (TrendingVideo | null)[], number: number) => CachedPage;
}

function toKnown(fresh: readonly CachedPage[]): KnownPages {
  return { fresh, expired: [], otherCopies: () => [] };
}

/** Plans a window of an array, buys the planned pages and plans again until it has all, as the data layer does. */
function solve(
  rows: readonly (TrendingVideo | null)[],
  pageSize: number,
  args: WindowArguments,
  {
    cached = [],
    known = toKnown(cached),
    need = ALL,
    toPage = (all, number) => makePage(all, number, pageSize),
  }: SolveOptions = {},
): Cut {
  const loaded = new Map<number, CachedPage>();
  const bought: number[] = [];
  for (let round = 0; round < 28; round++) {
    const plan = planWindow(args, need, known, [...loaded.values()]);
    const missing = plan.pages.filter((number) => loaded.get(number)?.pageSize !== plan.pageSize);
    if (missing.length === 0) {
      const window = cutWindow(plan, args, loaded);
      const isEmpty = plan.ranks.last < plan.ranks.first;
      return {
        ids: window.map(({ video }) => Number(video.itemId)),
        ranks: window.map(({ rank }) => rank),
        flags: {
          hasPreviousPage: !isEmpty && plan.ranks.first > 1,
          hasNextPage: !isEmpty && plan.ranks.last < (plan.chartLength ?? Number.NaN),
        },
        bought,
      };
    }
    for (const number of missing) {
      const page = cached.find((cachedPage) => cachedPage.number === number);
      if (!page) bought.push(number);
      loaded.set(number, page ?? toPage(rows, number));
    }
  }
  throw new Error('The plan never settled');
}

function at(rank: number | undefined) {
  return rank === undefined ? undefined : { rank, itemId: String(rank) };
}

/** Every combination of arguments that a chart of `length` ranks can tell apart. */
function* allArguments(length: number) {
  const sizes = [undefined, ...range(0, length + 1)];
  const cursors = [undefined, ...range(1, length)];
  for (const first of sizes)
    for (const last of sizes)
      for (const after of cursors) for (const before of cursors) yield { first, last, after, before };
}

describe('planWindow, over all small charts, page sizes and arguments', () => {
  for (const length of range(0, 6)) {
    it(`cuts the window that graphql-relay cuts from an array of ${length}, with correct flags, cold and warm`, () => {
      const rows = makeVideos(1, length);
      const ids = range(1, length);
      const wrong: unknown[] = [];
      for (const pageSize of range(1, 4)) {
        const cached = range(1, Math.max(1, Math.ceil(length / pageSize))).map((n) =>
          makePage(rows, n, pageSize),
        );
        for (const { first, last, after, before } of allArguments(length)) {
          const expected = connectionFromArray(ids, {
            first: first ?? null,
            last: last ?? null,
            after: after === undefined ? null : offsetToCursor(after - 1),
            before: before === undefined ? null : offsetToCursor(before - 1),
          }).edges.map(({ node }) => node);
          const args = { first, last, after: at(after), before: at(before) };
          const cold = solve(rows, pageSize, args);
          const warm = solve(rows, pageSize, args, { cached });
          const flags = {
            hasPreviousPage: (expected[0] ?? 1) > 1,
            hasNextPage: (expected.at(-1) ?? length) < length,
          };
          // One `expect` for each set of arguments would take most of the run time.
          const got = JSON.stringify([cold.ids, cold.flags, warm.ids, warm.flags, warm.bought]);
          if (got !== JSON.stringify([expected, flags, expected, flags, []])) {
            wrong.push({ args, pageSize, cold, warm, expected, flags });
          }
        }
      }
      expect(wrong).toEqual([]);
    });
  }
});

describe('planWindow', () => {
  const chart = makeVideos(1, 500);
  const first20 = makePage(chart, 1, 20);
  const noFlags = { hasPreviousPage: false, hasNextPage: false };

  it('takes 20 from the start when no argument is given', () => {
    expect(solve(chart, 20, {})).toMatchObject({ ids: range(1, 20), bought: [1] });
  });

  it('fetches all pages of a window in one round, and no extra page for the flags', () => {
    expect(planWindow({ first: 50, after: at(13) }, ALL, toKnown([]), []).pages).toEqual([1, 2, 3, 4]);
    expect(solve(chart, 20, { first: 50, after: at(13) })).toEqual({
      ids: range(14, 63),
      ranks: range(14, 63),
      flags: { hasPreviousPage: true, hasNextPage: true },
      bought: [1, 2, 3, 4],
    });
  });

  it('buys only the pages that are not cached', () => {
    const cached = [2, 3].map((number) => makePage(chart, number, 20));
    expect(solve(chart, 20, { first: 80 }, { cached }).bought).toEqual([1, 4]);
  });

  it('buys one page to learn the length for a tail, and none when a page of the chart is cached', () => {
    const tail = { ids: range(493, 500), flags: { hasPreviousPage: true, hasNextPage: false } };
    expect(solve(chart, 20, { last: 8 })).toMatchObject({ ...tail, bought: [1, 25] });
    expect(solve(chart, 20, { last: 8 }, { cached: [makePage(chart, 7, 20)] })).toMatchObject({
      ...tail,
      bought: [25],
    });
  });

  it('finds the end of a chart that claims to be longer, by halving the range, and never fails', () => {
    const claim = (rows: readonly (TrendingVideo | null)[], number: number): CachedPage =>
      makePage(rows, number, 20, { totalCount: 500, hasMore: true });
    const short = makeVideos(1, 120);
    const cold = solve(short, 20, { last: 20 }, { toPage: claim });
    expect(cold).toMatchObject({
      ids: range(101, 120),
      flags: { hasPreviousPage: true, hasNextPage: false },
    });
    expect(cold.bought).toEqual([1, 25, 13, 7, 4, 5, 6]);
    expect(solve([], 20, { last: 20 }, { toPage: claim })).toMatchObject({ ids: [], bought: [1] });
    for (const length of [20, 21, 59, 60, 61, 320, 461, 480]) {
      const found = solve(makeVideos(1, length), 20, { last: 5 }, { toPage: claim });
      expect(found.ids).toEqual(range(length - 4, length));
      expect(found.bought.length).toBeLessThan(9);
    }
  });

  it('finds the end of a chart that claims far more, checking first whether it is longer than a full one', () => {
    for (const totalCount of [1000, 20_000, 999_999]) {
      const claim = (rows: readonly (TrendingVideo | null)[], number: number): CachedPage =>
        makePage(rows, number, 20, { totalCount, hasMore: true });
      expect(solve(chart, 20, { last: 20 }, { toPage: claim }).ids).toEqual(range(481, 500));
      const found = solve(makeVideos(1, 60), 20, { last: 20 }, { toPage: claim });
      expect(found.ids).toEqual(range(41, 60));
      expect(found.bought.length).toBeLessThan(10);
    }
  });

  it('while the length is not known, first buys the end of a window that is counted from its end', () => {
    expect(solve(chart, 20, { last: 100, before: at(490) })).toMatchObject({
      ids: range(390, 489),
      bought: [25, 20, 21, 22, 23, 24],
    });
    expect(solve(makeVideos(1, 322), 20, { last: 100, before: at(490) }).bought).toEqual([
      25, 12, 13, 14, 15, 16, 17,
    ]);
  });

  it('while the length is not known, buys no pages beyond a full chart except the first of the window', () => {
    expect(solve(chart, 20, { first: 100, after: at(490) })).toMatchObject({
      ids: range(491, 500),
      bought: [25],
    });
    expect(solve(chart, 20, { first: 100, after: at(900_000) })).toMatchObject({ ids: [], bought: [45_001] });
    expect(solve(makeVideos(1, 700), 20, { first: 50, after: at(490) }).ids).toEqual(range(491, 540));
  });

  it('needs no probe for a tail before a cursor', () => {
    expect(solve(chart, 20, { last: 5, before: at(100) })).toMatchObject({ ids: range(95, 99), bought: [5] });
  });

  it.each([
    ['first: 0', { first: 0 }, []],
    ['last: 0', { last: 0 }, []],
    ['after beyond before', { after: at(9), before: at(5) }, []],
    ['after directly above before', { after: at(4), before: at(5) }, []],
    ['after the last video', { after: at(500) }, [26]],
    ['before the first video', { before: at(1) }, []],
  ])('cuts an empty window with both flags false for %s', (_name, args, bought) => {
    expect(solve(chart, 20, args, { need: { rows: true, facts: false } })).toMatchObject({ ids: [], bought });
    expect(solve(chart, 20, args, { cached: [first20] })).toEqual({
      ids: [],
      ranks: [],
      flags: noFlags,
      bought: [],
    });
  });

  it.each([
    ['from the start', { first: 100 }, [1]],
    ['after a cursor', { first: 100, after: at(45) }, [3]],
    ['at the tail', { last: 100 }, [1]],
    ['empty', { first: 0 }, [1]],
  ])(
    'buys one page for the facts of a window (%s), however large, and none when one is cached',
    (_name, args, bought) => {
      const need = { rows: false, facts: true };
      expect(solve(chart, 20, args, { need }).bought).toEqual(bought);
      expect(solve(chart, 20, args, { need, cached: [makePage(chart, 9, 20)] }).bought).toEqual([]);
    },
  );

  describe('follows the page size that upstream applies', () => {
    it('without gaps or repeats, and without buying the first pages again', () => {
      expect(solve(chart, 10, { first: 45, after: at(8) })).toEqual({
        ids: range(9, 53),
        ranks: range(9, 53),
        flags: { hasPreviousPage: true, hasNextPage: true },
        bought: [1, 2, 3, 4, 5, 6],
      });
    });

    it('when it changes while older pages are cached', () => {
      const cached = [makePage(chart, 1, 20), makePage(chart, 2, 10, { sequence: 2 })];
      const plan = planWindow({ first: 30 }, ALL, toKnown(cached), []);
      expect(plan).toMatchObject({ pageSize: 10, pages: [1, 2, 3] });
    });
  });

  describe('with expired pages', () => {
    const expired = [
      makePage(chart, 1, 20),
      makePage(chart.slice(0, 300), 7, 20, { totalCount: 300, sequence: 2 }),
    ];
    const known = { fresh: [], expired, otherCopies: () => [] };

    it('takes the length of the chart from them, so that no page is bought to learn it', () => {
      expect(planWindow({ last: 20 }, ALL, known, [])).toMatchObject({ pages: [15], chartLength: 300 });
    });

    it("does not look for a cursor's video on them, since it would have to buy the page first", () => {
      const after = { rank: 250, itemId: '5' };
      expect(planWindow({ first: 20, after }, ALL, known, []).ranks).toEqual({ first: 251, last: 270 });
      expect(planWindow({ first: 20, after }, ALL, toKnown(expired), []).ranks).toEqual({
        first: 6,
        last: 25,
      });
    });

    it("buys one window only, even when they have the cursor's video elsewhere", () => {
      const moved = makeVideos(301, 600);
      const { bought } = solve(moved, 20, { first: 20, after: { rank: 250, itemId: '5' } }, { known });
      expect(bought).toEqual([13, 14]);
    });

    it('checks a page again when the window is empty because the chart was too short', () => {
      const rows = { rows: true, facts: false };
      const short = [makePage(chart.slice(0, 30), 1, 20, { totalCount: 30 })];
      const args = { first: 20, after: at(100) };
      const plan = planWindow(args, rows, { fresh: [], expired: short, otherCopies: () => [] }, []);
      expect(plan).toMatchObject({ pages: [1], ranks: { first: 101, last: 30 } });
      expect(planWindow({ first: 0, after: at(100) }, rows, toKnown(short), []).pages).toEqual([]);
      expect(planWindow({ after: at(9), before: at(5) }, rows, toKnown(short), []).pages).toEqual([]);
    });
  });

  it("checks a page again when its rank for a cursor's video makes the window empty", () => {
    const rows = { rows: true, facts: false };
    const stale = { fresh: [], expired: [first20], otherCopies: () => [] };
    const view = toKnown([first20, makePage(chart, 5, 20, { sequence: 2 })]);
    const before = { rank: 41, itemId: '1' };
    for (const need of [ALL, rows]) {
      expect(planWindow({ last: 20, before }, need, view, [])).toMatchObject({
        ranks: { last: 0 },
        pages: [1],
      });
      // Expired pages do not tell where the video is.
      expect(planWindow({ last: 20, before }, need, stale, []).ranks).toEqual({ first: 21, last: 40 });
    }
    const crossing = { after: { rank: 1, itemId: '15' }, before: { rank: 19, itemId: '5' } };
    expect(planWindow(crossing, rows, view, []).pages).toEqual([1]);
    expect(planWindow({ after: at(19), before: at(5) }, rows, view, []).pages).toEqual([]);
  });

  it('continues at the next best place of a video when the best would cost too much', () => {
    // The chart moved while its pages were fetched: page 2, the newest, has video 18 again, further down.
    const loaded = [
      makePage(makeVideos(2, 42), 1, 20, { totalCount: 41 }),
      makePage(makeVideos(-16, 24), 2, 20, { totalCount: 41, sequence: 2 }),
    ];
    const plan = planWindow({ first: 6, after: at(18) }, ALL, toKnown([]), loaded);
    expect(plan).toMatchObject({ ranks: { first: 18, last: 23 }, pages: [1, 2] });
  });

  it('does not place a video at a rank that the chart no longer has', () => {
    const short = makePage(chart.slice(0, 40), 1, 20, { sequence: 2 });
    const old = makePage(chart, 5, 20);
    const after = { rank: 5, itemId: '90' };
    for (const known of [toKnown([short, old]), { fresh: [short], expired: [], otherCopies: () => [old] }]) {
      expect(planWindow({ first: 20, after }, ALL, known, []).ranks).toEqual({ first: 6, last: 25 });
    }
  });

  it("finds a cursor's video on copies that the window must not be cut from, when no other page has it", () => {
    const otherCopies = [makePage(chart, 3, 20)];
    const known = { fresh: [first20], expired: [], otherCopies: () => otherCopies };
    const after = { rank: 7, itemId: '50' };
    expect(planWindow({ first: 20, after }, ALL, known, [])).toMatchObject({
      ranks: { first: 51, last: 70 },
      pages: [3, 4],
    });
    expect(planWindow({ first: 20, after: at(7) }, ALL, known, []).ranks.first).toBe(8);
  });

  describe('resumes at the video of a cursor', () => {
    // The chart has moved down by three: the video of rank r is now at r + 3.
    const moved = [...makeVideos(901, 903), ...chart];

    it('at its new rank, when it is on a page that the window needs', () => {
      expect(solve(moved, 20, { first: 5, after: at(20) })).toMatchObject({
        ids: range(21, 25),
        ranks: range(24, 28),
      });
      expect(solve(moved, 20, { last: 5, before: at(15) })).toMatchObject({
        ids: range(10, 14),
        ranks: range(13, 17),
      });
    });

    it('at its new rank, when it is on a cached page', () => {
      const cached = [makePage(moved, 3, 20)];
      expect(solve(moved, 20, { first: 2, after: at(40) }, { cached })).toMatchObject({
        ids: [41, 42],
        bought: [],
      });
    });

    it("at its old rank, when following it would cost more than one page beyond the window's own", () => {
      const fallen = [
        ...makeVideos(1, 19),
        ...makeVideos(21, 119),
        ...makeVideos(20, 20),
        ...makeVideos(120, 500),
      ];
      const { ids, bought } = solve(fallen, 20, { first: 100, after: at(20) });
      expect(bought).toEqual([2, 3, 4, 5, 6]);
      expect(ids).toEqual([...range(22, 119), 120]);
    });

    it('at its rank on the newest cached page', () => {
      const cached = [makePage(chart, 3, 20), makePage(moved, 4, 20, { sequence: 2 })].map((page) => ({
        ...page,
        rows: page.number === 3 ? makeVideos(81, 100) : page.rows,
      }));
      // The newer page 4 has 65 at rank 68; the older page 3 does not have it.
      expect(solve(chart, 20, { first: 2, after: { rank: 50, itemId: '65' } }, { cached }).ranks).toEqual([
        69, 70,
      ]);
    });

    it('at its old rank, when it is on none of these pages', () => {
      expect(solve(moved, 20, { first: 2, after: { rank: 60, itemId: '999' } })).toMatchObject({
        ranks: [61, 62],
        bought: [4],
      });
    });

    it('at its old rank, when a cached page still has it there although a newer page has it elsewhere', () => {
      const cached = [makePage(chart, 1, 20), makePage(moved, 2, 20, { sequence: 2 })];
      expect(solve(chart, 20, { first: 3, after: at(18) }, { cached })).toMatchObject({
        ids: [19, 20],
        ranks: [19, 20],
      });
    });

    it("at the cursor's rank, when the cursor names no video", () => {
      expect(solve(chart, 20, { first: 2, after: { rank: 7, itemId: null } }).ids).toEqual([8, 9]);
    });
  });

  it("shows no video twice, nor the cursor's video again, when pages of different ages overlap", () => {
    const moved = [...makeVideos(901, 903), ...chart];
    const cached = [makePage(chart, 1, 20), makePage(moved, 2, 20)];
    expect(solve(chart, 20, { first: 30 }, { cached }).ids).toEqual([...range(1, 20), ...range(21, 27)]);
    expect(solve(chart, 20, { first: 6, after: at(19) }, { cached }).ids).toEqual([20, 18, 21, 22]);
    expect(
      solve(chart, 20, { last: 6, before: at(18) }, { cached: [makePage(moved, 1, 20)] }).ids,
    ).not.toContain(18);
  });

  it('leaves the ranks of unreadable rows empty', () => {
    const rows = chart.map((video, index) => ([2, 3, 19].includes(index) ? null : video));
    expect(solve(rows, 20, { first: 6 })).toMatchObject({ ids: [1, 2, 5, 6], ranks: [1, 2, 5, 6] });
    expect(solve(rows, 20, { first: 2, after: at(2) })).toMatchObject({
      ids: [],
      flags: { hasPreviousPage: true, hasNextPage: true },
    });
  });
});
