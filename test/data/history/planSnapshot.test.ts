import { describe, expect, it } from '@jest/globals';
import { planSnapshot } from '../../../src/data/history/planSnapshot.ts';
import type { CachedPage } from '../../../src/domain/page.ts';
import { ChartDay, type PageRanks } from '../../../src/domain/ranks.ts';
import { DAY_MS } from '../../../src/domain/utcDay.ts';
import { makePage, makeVideos, range } from '../../support/charts.ts';
import { makeRanks } from '../../support/ranks.ts';

const DAY = 10;
const TODAY = DAY * DAY_MS;
const YESTERDAY = TODAY - 1;
const ROWS = makeVideos(1, 500);

/** A noted page of these ranks. */
function noted(first: number, last: number, overrides: Partial<PageRanks> = {}): PageRanks {
  return makeRanks(range(first, last).map(String), { firstRank: first, fetchedAt: TODAY, ...overrides });
}

/** What is known today: the pages that were noted today, and those that are cached. */
function known(pages: readonly PageRanks[] = [], cached: readonly CachedPage[] = []) {
  return { day: DAY, cached, noted: pages.length > 0 ? new ChartDay(DAY, pages) : undefined };
}

/** A cached page of `rows`. */
function cachedPage(
  number: number,
  { rows = ROWS, size = 20, ...overrides }: Partial<CachedPage> & { size?: number } = {},
) {
  return makePage(rows, number, size, { fetchedAt: TODAY, ...overrides });
}

describe('planSnapshot', () => {
  it('needs all pages of the ranks when nothing is known', () => {
    expect(planSnapshot(100, known())).toEqual({ missing: [1, 2, 3, 4, 5], pageSize: 20, ranks: 100 });
    expect(planSnapshot(1, known()).missing).toEqual([1]);
    expect(planSnapshot(41, known()).missing).toEqual([1, 2, 3]);
    expect(planSnapshot(500, known()).missing).toEqual(range(1, 25));
  });

  it('needs no page whose ranks were noted, on pages of whatever size', () => {
    expect(planSnapshot(100, known([noted(1, 20), noted(61, 80)])).missing).toEqual([2, 3, 5]);
    expect(planSnapshot(40, known([noted(1, 10), noted(11, 40)])).missing).toEqual([]);
    expect(planSnapshot(40, known([noted(1, 39)])).missing).toEqual([2]);
    expect(planSnapshot(39, known([noted(1, 39)])).missing).toEqual([]);
  });

  it('takes a rank whose row could not be read for fetched', () => {
    const ids = range(1, 20).map((id) => (id === 1 || id === 20 ? null : String(id)));
    expect(planSnapshot(20, known([makeRanks(ids, { fetchedAt: TODAY })])).missing).toEqual([]);
  });

  it('needs a page that is cached, but was not noted today', () => {
    const cached = [cachedPage(1, { fetchedAt: YESTERDAY }), cachedPage(2)];
    expect(planSnapshot(60, known([noted(21, 40)], cached)).missing).toEqual([1, 3]);
  });

  it('follows the page size of the newest cached page', () => {
    const cached = [
      cachedPage(1, { size: 10, sequence: 2, fetchedAt: YESTERDAY }),
      cachedPage(2, { sequence: 1, fetchedAt: YESTERDAY }),
    ];
    expect(planSnapshot(40, known([noted(1, 10)], cached))).toMatchObject({
      missing: [2, 3, 4],
      pageSize: 10,
    });
  });

  it('needs nothing beyond the length that the newest cached page claims, but always the first page', () => {
    const claims = (totalCount: number) => known([], [cachedPage(1, { totalCount, fetchedAt: YESTERDAY })]);
    expect(planSnapshot(100, claims(41))).toEqual({ missing: [1, 2, 3], pageSize: 20, ranks: 41 });
    expect(planSnapshot(100, claims(0))).toEqual({ missing: [1], pageSize: 20, ranks: 0 });
  });

  it('needs nothing beyond the end that a page of the day shows, whatever it claims', () => {
    const rows = ROWS.slice(0, 30);
    const short = { rows, totalCount: 500 };
    const read = [noted(1, 20), noted(21, 30)];
    expect(planSnapshot(100, known(read, [cachedPage(1, short), cachedPage(2, short)]))).toMatchObject({
      missing: [],
      ranks: 30,
    });
    const empty = [cachedPage(1, short), cachedPage(3, short)];
    expect(planSnapshot(100, known([noted(1, 20)], empty)).missing).toEqual([2]);
    const shortYesterday = cachedPage(2, { ...short, fetchedAt: YESTERDAY });
    expect(planSnapshot(60, known([], [shortYesterday])).missing).toEqual([1, 2, 3]);
  });
});
