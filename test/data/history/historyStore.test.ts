import { describe, expect, it } from '@jest/globals';
import { HistoryStore } from '../../../src/data/history/historyStore.ts';
import type { Chart } from '../../../src/domain/chart.ts';
import { DAY_MS } from '../../../src/domain/utcDay.ts';
import { createTestClock } from '../../support/clock.ts';
import { makeRanks } from '../../support/ranks.ts';

const US: Chart = { region: 'US', period: 7, orderBy: 'VIEWS' };
const IN = { ...US, region: 'IN' };
const GB = { ...US, region: 'GB' };
const IDS = Array.from({ length: 20 }, (_, index) => String(7e18 + index));

function createStore({ days = 3, maxBytes = 1e6 } = {}) {
  const clock = createTestClock(10 * DAY_MS);
  const store = new HistoryStore({ clock, days, maxBytes });
  const seen = (chart = US): number[] => store.days(chart).map(({ day }) => day);
  const note = (day: number, chart = US, sequence = day): boolean =>
    store.add(chart, [makeRanks(IDS, { sequence, fetchedAt: day * DAY_MS })]);
  return { clock, store, seen, note };
}

describe('the store of ranks', () => {
  it('has so many UTC days of a chart, today included, the oldest first', () => {
    const { clock, seen, note } = createStore();
    for (const day of [10, 8, 9, 7]) note(day);
    expect(seen()).toEqual([8, 9, 10]);
    clock.advance(2 * DAY_MS);
    expect(seen()).toEqual([10]);
    note(12);
    expect(seen()).toEqual([10, 12]);
  });

  it('has nothing of any day when it is off', () => {
    const { store, note } = createStore({ days: 0 });
    note(10);
    expect(store.days(US)).toEqual([]);
    expect(store.chartDays).toBe(0);
  });

  it('divides pages that arrive together among their days', () => {
    const { store } = createStore();
    const late = makeRanks(['1'], { fetchedAt: 10 * DAY_MS - 1 });
    store.add(US, [late, makeRanks(['2'], { fetchedAt: 10 * DAY_MS, sequence: 2 })]);
    expect(store.days(US).map(({ day, pages }) => [day, pages[0]?.itemIds])).toEqual([
      [9, '1'],
      [10, '2'],
    ]);
  });

  it('says whether a day has changed that a later one may have been compared with', () => {
    const { clock, note } = createStore();
    expect([note(10), note(9), note(9), note(9, US, 20), note(10, US, 20)]).toEqual([
      false,
      true,
      false,
      true,
      false,
    ]);
    // A wall clock that was set back, and one that is far ahead.
    clock.jump(-DAY_MS);
    expect(note(9, US, 30)).toBe(true);
    clock.jump(100 * DAY_MS);
    note(109);
    clock.jump(-99 * DAY_MS);
    expect(note(10, US, 30)).toBe(false);
  });

  it('does not lose all days when the wall clock is far ahead for a while', () => {
    const { clock, seen, note } = createStore();
    for (const day of [8, 9, 10]) note(day);
    clock.jump(100 * DAY_MS);
    note(110);
    expect(seen()).toEqual([110]);
    clock.jump(-100 * DAY_MS);
    expect(seen()).toEqual([9, 10, 110]);
  });

  it('evicts the charts that were not used for the longest time', () => {
    const { store, seen, note } = createStore({ maxBytes: 3300 });
    for (const chart of [US, IN]) note(10, chart);
    seen(US);
    note(9, GB);
    note(10, GB);
    expect(store.bytes).toBeLessThanOrEqual(3300);
    expect([US, IN, GB].map((chart) => store.has(chart))).toEqual([true, false, true]);
  });

  it('drops the oldest days of a chart that is too large for it', () => {
    const { store, seen, note } = createStore({ maxBytes: 2100 });
    for (const day of [8, 9, 10]) note(day);
    expect(seen()).toEqual([9, 10]);
    expect(store.chartDays).toBe(2);
  });

  it('is restored by what it says to contain', () => {
    const { store, note } = createStore();
    for (const day of [8, 10]) note(day);
    note(9, IN);
    const { store: other } = createStore();
    for (const { chart, days } of store.all())
      other.add(
        chart,
        days.flatMap(({ pages }) => pages),
      );
    const content = (from: HistoryStore) =>
      from.all().map(({ chart, days }) => [chart, days.map(({ pages }) => pages)]);
    expect(content(other)).toEqual(content(store));
    expect(other.bytes).toBe(store.bytes);
  });
});
