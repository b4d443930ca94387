import { describe, expect, it } from '@jest/globals';
import { PageStore, sizeOf } from '../../../src/data/pages/pageStore.ts';
import type { CachedPage } from '../../../src/domain/page.ts';
import { DAY_MS } from '../../../src/domain/utcDay.ts';
import { makePage, makeVideos, US_VIEWS } from '../../support/charts.ts';
import { createTestClock } from '../../support/clock.ts';

const chart = makeVideos(1, 500);

function copy(number: number, generation = 1, overrides: Partial<CachedPage> = {}): CachedPage {
  const sequence = generation * 100 + number;
  return {
    ...makePage(chart, number, 20, { sequence }),
    generation,
    freshUntil: 1000,
    coversUntil: null,
    ...overrides,
  };
}

function createStore({ maxBytes = 2 ** 24, staleMs = 1000 } = {}) {
  const clock = createTestClock();
  const store = new PageStore({ clock, staleMs, maxBytes });
  const names = (of = US_VIEWS): string[] =>
    store.copies(of).map(({ number, generation }) => `${number}/${generation}`);
  return { clock, store, names };
}

describe('PageStore', () => {
  it('lists the copies of a chart, the newest first', () => {
    const { store, names } = createStore();
    const other = { ...US_VIEWS, region: 'DE' };
    for (const page of [copy(1, 2), copy(3, 1), copy(2, 2), copy(9, 1, { chart: other })]) store.add(page);
    expect(names()).toEqual(['2/2', '1/2', '3/1']);
    expect(names(other)).toEqual(['9/1']);
  });

  it('stores the two newest copies of a page', () => {
    const { store, names } = createStore();
    for (const page of [copy(1, 1), copy(2, 1), copy(1, 2), copy(1, 3)]) store.add(page);
    expect(names()).toEqual(['1/3', '1/2', '2/1']);
  });

  it('stores one copy of a page in each generation', () => {
    const { store, names } = createStore();
    store.add(copy(1, 1));
    const again = copy(1, 1, { sequence: 150 });
    store.add(again);
    expect(names()).toEqual(['1/1']);
    expect(store.newest(again)).toBe(again);
  });

  describe('a page without the rows that it ought to have', () => {
    /** Of a chart of 500. */
    const empty = (number: number, overrides: Partial<CachedPage> = {}): CachedPage =>
      copy(number, 1, { rows: [], timesEmpty: 2, freshUntil: 100, ...overrides });

    it('is used until it expires, and remembered for a day', () => {
      const { clock, store, names } = createStore();
      store.add(copy(1));
      store.add(empty(3));
      expect(names()).toEqual(['3/1', '1/1']);
      expect(store.emptyUntil(US_VIEWS)).toBe(100);
      clock.advance(99);
      expect(names()).toEqual(['1/1']);
      expect(store.latest(empty(3))).toMatchObject({ timesEmpty: 2, sequence: 103 });
      expect(store.emptyUntil(US_VIEWS)).toBe(Number.POSITIVE_INFINITY);
      clock.advance(DAY_MS);
      expect(names()).toEqual([]);
      expect(store.latest(empty(3))).toBeUndefined();
    });

    it('is used when it has expired if nothing else of its chart is cached', () => {
      const { clock, store, names } = createStore();
      store.add(empty(1, { totalCount: 0 }));
      clock.advance(1000);
      expect(names()).toEqual(['1/1']);
      clock.advance(100);
      expect(names()).toEqual([]);
    });

    it('is deleted when rows arrive, if it showed the whole chart to be empty', () => {
      const { store, names } = createStore();
      store.add(empty(1));
      store.add(empty(2, { totalCount: 0 }));
      store.add(empty(3));
      store.add(copy(5));
      expect(names()).toEqual(['5/1', '3/1']);
    });

    it('is deleted when its own rows arrive, even if they are older', () => {
      const { store, names } = createStore();
      store.add(empty(3, { sequence: 900 }));
      store.add(copy(3));
      expect(names()).toEqual(['3/1']);
      expect(store.newest(copy(3))?.rows).toHaveLength(20);
    });

    it('contradicts its own rows, and any of its chart when it shows the whole chart to be empty', () => {
      const { clock, store } = createStore();
      store.add(copy(3));
      clock.advance(1500);
      const isContradiction = (page: CachedPage): boolean => store.contradicts(page);
      expect([empty(3), empty(1), empty(9, { totalCount: 0 })].map(isContradiction)).toEqual([
        true,
        true,
        true,
      ]);
      expect([empty(4), empty(26), copy(3)].map(isContradiction)).toEqual([false, false, false]);
      clock.advance(500);
      expect(isContradiction(empty(3))).toBe(false);
    });

    it('is stored twice at most, as other pages are', () => {
      const { clock, store } = createStore();
      store.add(copy(1));
      for (let generation = 1; generation < 9; generation++) {
        store.add(empty(3, { generation, freshUntil: clock.monotonic() + 100 }));
        clock.advance(200);
      }
      expect(store.all().filter(({ number }) => number === 3)).toHaveLength(2);
    });

    it('is not one that lies beyond the end of its chart', () => {
      const { clock, store, names } = createStore();
      store.add(copy(1));
      store.add(empty(26, { timesEmpty: undefined }));
      clock.advance(500);
      expect(names()).toEqual(['26/1', '1/1']);
    });
  });

  it('finds the newest copy of a page if it has the requested page size', () => {
    const { store } = createStore();
    store.add(copy(1, 1));
    store.add(copy(1, 2, { pageSize: 10 }));
    expect(store.newest({ chart: US_VIEWS, number: 1 }, 10)).toMatchObject({ generation: 2 });
    expect(store.newest({ chart: US_VIEWS, number: 1 }, 20)).toBeUndefined();
    expect(store.newest({ chart: US_VIEWS, number: 2 }, 20)).toBeUndefined();
  });

  it('drops a copy when its stale time is over', () => {
    const { store, names, clock } = createStore({ staleMs: 500 });
    store.add(copy(1, 1));
    store.add(copy(2, 2, { freshUntil: 2000 }));
    clock.advance(1498);
    expect(names()).toEqual(['2/2', '1/1']);
    clock.advance(1);
    expect(names()).toEqual(['2/2']);
    expect(store.all()).toHaveLength(1);
  });

  it('stays within its byte limit, and evicts the least recently used copies first', () => {
    const onePage = sizeOf(copy(25));
    const { store, names } = createStore({ maxBytes: Math.ceil(onePage * 3.5) });
    for (const number of [1, 2, 3]) store.add(copy(number));
    store.touch(copy(1));
    names(); // Listing copies does not count as use.
    store.add(copy(4));
    expect(names()).toEqual(['4/1', '3/1', '1/1']);
    expect(store.all().map(({ number }) => number)).toEqual([3, 1, 4]);
  });

  it('finds the newest copy of a video on all charts, and the next newest when that one expires', () => {
    const { store, clock } = createStore({ staleMs: 500 });
    const other = { ...US_VIEWS, region: 'DE' };
    store.add(copy(1, 1));
    store.add(copy(1, 3, { chart: other, freshUntil: 400 }));
    store.add(copy(1, 2));
    expect(store.find('7')?.page).toMatchObject({ chart: other, generation: 3 });
    expect(store.find('7')?.video).toEqual(chart[6]);
    clock.advance(900);
    expect(store.find('7')?.page).toMatchObject({ chart: US_VIEWS, generation: 2 });
    clock.advance(600);
    expect(store.find('7')).toBeUndefined();
  });

  it('finds no video whose page was evicted or deleted, or has an empty rank in its place', () => {
    const { store } = createStore({ maxBytes: Math.ceil(sizeOf(copy(25)) * 1.5) });
    store.add(copy(1, 1, { rows: [null, ...chart.slice(1, 20)] }));
    expect([store.find('1'), store.find('2')?.video.itemId, store.find('21')]).toEqual([
      undefined,
      '2',
      undefined,
    ]);
    store.add(copy(2));
    expect([store.find('2'), store.find('21')?.video.itemId]).toEqual([undefined, '21']);
    store.delete(copy(2));
    expect(store.find('21')).toBeUndefined();
  });

  it('deletes all copies of a page', () => {
    const { store, names } = createStore();
    for (const page of [copy(1, 1), copy(1, 2), copy(2, 1)]) store.add(page);
    store.delete(copy(1));
    expect(names()).toEqual(['2/1']);
  });

  it('retains nothing of a chart whose pages are all deleted', () => {
    const { store, names } = createStore();
    store.add(copy(1));
    store.delete(copy(1));
    expect(names()).toEqual([]);
    expect(store.all()).toEqual([]);
  });
});
