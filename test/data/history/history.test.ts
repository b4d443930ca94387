import { describe, expect, it } from '@jest/globals';
import { History } from '../../../src/data/history/history.ts';
import { HistoryStore } from '../../../src/data/history/historyStore.ts';
import { OperationHistory } from '../../../src/data/history/operationHistory.ts';
import type { Chart } from '../../../src/domain/chart.ts';
import type { PageRanks } from '../../../src/domain/ranks.ts';
import { DAY_MS } from '../../../src/domain/utcDay.ts';
import { makePage, makeVideos } from '../../support/charts.ts';
import { createTestClock } from '../../support/clock.ts';
import { makeRanks } from '../../support/ranks.ts';

const US: Chart = { region: 'US', period: 7, orderBy: 'VIEWS' };
const IN: Chart = { ...US, region: 'IN' };

/** A history of three days, today being day 10, beside a place that knows `elsewhere`. */
function createHistory({ maxBytes = 1e6 } = {}) {
  const clock = createTestClock(10 * DAY_MS);
  const history = new History(new HistoryStore({ clock, days: 3, maxBytes }));
  const elsewhere = { pages: [] as PageRanks[], isDown: false, lookUps: [] as (readonly number[])[] };
  history.addLookUp(async (_chart, days) => {
    elsewhere.lookUps.push(days);
    await new Promise(setImmediate);
    return elsewhere.isDown ? undefined : elsewhere.pages;
  });
  const daysBefore = async (day: number): Promise<number[]> => {
    await history.lookUp(US, day);
    return history.daysBefore(US, day).map((known) => known.day);
  };
  return { clock, history, elsewhere, daysBefore };
}

describe('the history of charts', () => {
  it('looks each day up once', async () => {
    const { clock, elsewhere, daysBefore } = createHistory();
    elsewhere.pages = [makeRanks(['1'], { fetchedAt: 9 * DAY_MS })];
    expect(await daysBefore(10)).toEqual([9]);
    expect(await daysBefore(10)).toEqual([9]);
    clock.advance(DAY_MS);
    await daysBefore(11);
    expect(elsewhere.lookUps).toEqual([[8, 9], [10]]);
  });

  it('lets all wait for a lookup that is in flight', async () => {
    const { clock, history, elsewhere, daysBefore } = createHistory();
    await daysBefore(10);
    clock.advance(DAY_MS);
    elsewhere.pages = [makeRanks(['1'], { fetchedAt: 10 * DAY_MS })];
    const all = [daysBefore(11), daysBefore(11), daysBefore(11)];
    expect(history.needsLookUp(US, 11)).toBe(true);
    expect(await Promise.all(all)).toEqual([[10], [10], [10]]);
    expect(elsewhere.lookUps).toHaveLength(2);
    expect(history.needsLookUp(US, 11)).toBe(false);
  });

  it('looks a day up again that has changed elsewhere, also while it is being looked up', async () => {
    const { history, elsewhere, daysBefore } = createHistory();
    const first = daysBefore(10);
    history.markOutdated(US, 9);
    await first;
    await daysBefore(10);
    expect(elsewhere.lookUps).toEqual([[8, 9], [9]]);
    expect(history.changesOf(US)).toBe(1);
    history.markOutdated(US, 10);
    expect(history.changesOf(US)).toBe(1);
    expect(history.changesOf(IN)).toBe(0);
  });

  it('looks days up again as long as that fails', async () => {
    const { elsewhere, daysBefore } = createHistory();
    elsewhere.isDown = true;
    elsewhere.pages = [makeRanks(['1'], { fetchedAt: 9 * DAY_MS })];
    expect(await daysBefore(10)).toEqual([]);
    elsewhere.isDown = false;
    expect(await daysBefore(10)).toEqual([9]);
  });

  it('looks a chart up again that was evicted, also when a page of it has come since', async () => {
    const { history, elsewhere, daysBefore } = createHistory({ maxBytes: 1300 });
    elsewhere.pages = [makeRanks(['1'], { fetchedAt: 9 * DAY_MS })];
    const page = (chart: Chart) => makePage(makeVideos(1, 1), 1, 20, { chart, fetchedAt: 10 * DAY_MS });
    await daysBefore(10);
    history.note(page(IN), 1);
    expect(history.daysBefore(US, 10)).toEqual([]);
    history.note(page(US), 2);
    expect(await daysBefore(10)).toEqual([9]);
    expect(elsewhere.lookUps).toEqual([
      [8, 9],
      [8, 9],
    ]);
  });

  it('notes nothing of days that are not stored', () => {
    const { history } = createHistory();
    const noted: unknown[] = [];
    history.onNoted((...args) => void noted.push(args));
    history.note(makePage(makeVideos(1, 1), 1, 20, { fetchedAt: 7 * DAY_MS }), 1);
    history.note(makePage([null], 1, 20, { fetchedAt: 10 * DAY_MS }), 1);
    expect(noted).toEqual([]);
    history.note(makePage(makeVideos(1, 1), 1, 20, { fetchedAt: 8 * DAY_MS }), 1);
    expect(noted).toHaveLength(1);
  });

  it('tells an operation that its days have changed while it read them, and others that they have not', async () => {
    const { clock, history } = createHistory();
    const read = async (change: () => void): Promise<boolean> => {
      const operation = new OperationHistory(history, clock);
      const reading = operation.daysBefore(US, 10);
      await Promise.resolve();
      change();
      await reading;
      const { historyChanges = [] } = operation.freshness() ?? {};
      return historyChanges.every(({ chart, changes }) => changes === history.changesOf(chart));
    };
    expect(await read(() => history.markOutdated(US, 9))).toBe(false);
    expect(await read(() => history.markAllOutdated())).toBe(false);
    expect(await read(() => history.markOutdated(IN, 9))).toBe(true);
  });
});
