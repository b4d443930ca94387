import { describe, expect, it } from '@jest/globals';
import { ChartDay, type PageRanks, toMovement, toRankRanges } from '../../src/domain/ranks.ts';
import { DAY_MS } from '../../src/domain/utcDay.ts';
import { fc } from '../support/fastCheck.ts';
import { makeRanks } from '../support/ranks.ts';

const day = (...pages: PageRanks[]): ChartDay => new ChartDay(1, pages);
const ranksOf = (chartDay: ChartDay): object => Object.fromEntries(chartDay.toRanks());

describe('a day of a chart', () => {
  it('has the last video that was seen at each rank', () => {
    const known = day(
      makeRanks(['1', '2', '3'], { sequence: 1 }),
      makeRanks(['9', '1'], { sequence: 2, fetchedAt: DAY_MS + 5 }),
    );
    expect(ranksOf(known)).toEqual({ 9: 1, 1: 2, 3: 3 });
    expect(known.snapshot).toEqual({ takenAt: DAY_MS + 5, knownRanks: 3 });
  });

  it('has a video that was seen at two ranks at the later one, while its old rank counts as known', () => {
    const known = day(
      makeRanks(['1', '2'], { sequence: 1 }),
      makeRanks(['2', '4'], { sequence: 2, firstRank: 3 }),
    );
    expect(ranksOf(known)).toEqual({ 1: 1, 2: 3, 4: 4 });
    expect(known.snapshot?.knownRanks).toBe(4);
  });

  it('has a video that is on a page twice at the better rank', () => {
    expect(ranksOf(day(makeRanks(['1', '2', '1'])))).toEqual({ 1: 1, 2: 2 });
  });

  it('knows the ranks of pages of different sizes', () => {
    const known = day(
      makeRanks(['1', '2', '3', '4'], { sequence: 1 }),
      makeRanks(['5', '6'], { sequence: 2, firstRank: 3 }),
    );
    expect(ranksOf(known)).toEqual({ 1: 1, 2: 2, 5: 3, 6: 4 });
  });

  it('does not know the rank of a row that could not be read, unless it was read before', () => {
    const unread = makeRanks(['1', null, '3'], { sequence: 2 });
    expect(day(unread).snapshot?.knownRanks).toBe(1);
    expect(ranksOf(day(makeRanks(['1', '2', '3']), unread))).toEqual({ 1: 1, 2: 2, 3: 3 });
  });

  it('has no snapshot without rank 1', () => {
    expect(day(makeRanks([null, '2'])).snapshot).toBeUndefined();
    expect(day(makeRanks(['2'], { firstRank: 2 })).snapshot).toBeUndefined();
  });

  it('retains no page whose ranks are all on newer ones', () => {
    const known = day(
      makeRanks(['1', '2'], { sequence: 1 }),
      makeRanks(['3'], { sequence: 2 }),
      makeRanks(['4'], { sequence: 3, firstRank: 2 }),
    );
    expect(known.pages.map(({ sequence }) => sequence)).toEqual([3, 2]);
  });

  it('is the same object when pages change nothing', () => {
    const known = day(makeRanks(['1', '2'], { sequence: 2 }));
    expect(known.with([makeRanks(['1', '2'], { sequence: 2 })])).toBe(known);
    expect(known.with([makeRanks(['8', '9'], { sequence: 1 })])).toBe(known);
    expect(known.with([makeRanks(['8', '9'], { sequence: 3 })])).not.toBe(known);
  });
});

describe('any pages of a day, in any order', () => {
  /** Few ids and ranks, so that pages overlap; a sequence number of its own for each. */
  const pages = fc
    .array(
      fc.record({
        firstRank: fc.integer({ min: 1, max: 5 }),
        itemIds: fc.array(fc.option(fc.constantFrom('1', '2', '3', '4', '5')), {
          minLength: 1,
          maxLength: 4,
        }),
      }),
      { maxLength: 8 },
    )
    .map((list) =>
      list.map(({ itemIds, firstRank }, index) =>
        makeRanks(itemIds, { firstRank, sequence: index + 1, fetchedAt: DAY_MS + index }),
      ),
    );

  /** A plain table: who was seen last at each rank, and when. */
  function seenIn(list: readonly PageRanks[]): Map<number, { itemId: string; page: PageRanks }> {
    const table = new Map<number, { itemId: string; page: PageRanks }>();
    for (const page of list) {
      page.itemIds.split(',').forEach((itemId, index) => {
        if (itemId !== '') table.set(page.firstRank + index, { itemId, page });
      });
    }
    return table;
  }

  it('give what a plain table of who was seen where and when gives', () => {
    fc.assert(
      fc.property(pages, fc.infiniteStream(fc.double({ noNaN: true })), (list, random) => {
        const shuffled = [...list]
          .map((page) => ({ page, at: random.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ page }) => page);
        const known = shuffled.reduce((sofar, page) => sofar.with([page]), new ChartDay(1, []));
        const table = seenIn(list);
        for (const itemId of ['1', '2', '3', '4', '5']) {
          const places = [...table].filter(([, seen]) => seen.itemId === itemId);
          const latest = Math.max(...places.map(([, { page }]) => page.sequence));
          const ranks = places.filter(([, { page }]) => page.sequence === latest).map(([rank]) => rank);
          expect(known.toRanks().get(itemId)).toBe(ranks.length === 0 ? undefined : Math.min(...ranks));
        }
        let gap = 1;
        while (table.has(gap)) gap++;
        expect(known.snapshot).toEqual(
          table.has(1) ? { takenAt: table.get(1)?.page.fetchedAt, knownRanks: gap - 1 } : undefined,
        );
      }),
    );
  });
});

it('names the ranks of a page whose rows could be read', () => {
  const ranges = (...ids: (string | null)[]) => toRankRanges(makeRanks(ids, { firstRank: 21 }));
  expect(ranges('1', '2', '3')).toBe('21-23');
  expect(ranges(null, '2', '3', null, '5', null)).toBe('22-23,25-25');
  expect(ranges(null)).toBe('');
});

describe('the movement of a video', () => {
  it.each([
    [3, 5, 'UP'],
    [5, 3, 'DOWN'],
    [4, 4, 'SAME'],
    [10, null, 'NEW'],
    [11, null, null],
    [200, 5, 'DOWN'],
  ])('from rank %s, after %s, is %s', (rank, previousRank, movement) => {
    expect(toMovement(rank, previousRank, { takenAt: 0, knownRanks: 10 })).toBe(movement);
  });
});
