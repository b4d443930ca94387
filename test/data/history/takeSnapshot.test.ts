import { describe, expect, it } from '@jest/globals';
import { History } from '../../../src/data/history/history.ts';
import { HistoryStore } from '../../../src/data/history/historyStore.ts';
import { takeSnapshot } from '../../../src/data/history/takeSnapshot.ts';
import type { PageWithOrigin } from '../../../src/data/pages/pageCache.ts';
import { toViews } from '../../../src/data/pages/views.ts';
import { DAY_MS } from '../../../src/domain/utcDay.ts';
import { makePage, makeVideos, US_VIEWS } from '../../support/charts.ts';
import { createTestClock } from '../../support/clock.ts';
import { createEvents } from '../../support/sources.ts';

const DAY = 10;
const NOW = DAY * DAY_MS + 1;
const YESTERDAY = NOW - DAY_MS;
const ROWS = makeVideos(1, 500);

/** The first `ranks` of a chart, on day 10: `cached` is the cache, and `fetch` gives what comes for a page. */
function createSnapshot(ranks: number, fetch: (number: number) => PageWithOrigin) {
  const history = new History(new HistoryStore({ clock: createTestClock(NOW), days: 8, maxBytes: 1e6 }));
  const { events, onEvent } = createEvents();
  const bill: number[] = [];
  const fetched = { day: DAY, count: 0, ids: new Set<string>() };
  const cache = {
    views: () => toViews([], () => true),
    lookUpShared: async () => false,
    fetchAnew: async ({ number }: { number: number }) => {
      bill.push(number);
      return fetch(number);
    },
  };
  const take = () =>
    takeSnapshot({ chart: US_VIEWS, ranks }, fetched, () => true, { cache, history, onEvent });
  return { take, bill, events };
}

describe('takeSnapshot', () => {
  it('fetches each page once a day, even if nothing of it is stored', async () => {
    const page = (number: number) => makePage(ROWS, number, 20, { fetchedAt: NOW });
    const { take, bill } = createSnapshot(40, (number) => ({ page: page(number), origin: 'fetched' }));
    expect(await take()).toBe(true);
    expect(await take()).toBe(true);
    expect(bill).toEqual([1, 2]);
  });

  it('asks again later for a page of which a copy of another day came', async () => {
    const copies: PageWithOrigin[] = [
      { page: makePage(ROWS, 1, 20, { fetchedAt: YESTERDAY }), origin: 'cached' },
      { page: makePage(ROWS, 1, 20, { fetchedAt: YESTERDAY }), origin: 'shared' },
    ];
    const now: PageWithOrigin = { page: makePage(ROWS, 1, 20, { fetchedAt: NOW }), origin: 'fetched' };
    const { take, bill, events } = createSnapshot(20, () => copies.shift() ?? now);
    expect([await take(), await take()]).toEqual([false, false]);
    expect(events).toEqual([]);
    expect(await take()).toBe(true);
    expect(bill).toEqual([1, 1, 1]);
    expect(events).toEqual([{ type: 'snapshotTaken', chart: 'US:7:VIEWS', ranks: 20, pages: 1 }]);
  });
});
