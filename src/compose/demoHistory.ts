import type { LookUpRanks } from '../data/history/history.ts';
import type { Clock } from '../domain/clock.ts';
import { PAGE_SIZE } from '../domain/page.ts';
import type { PageRanks } from '../domain/ranks.ts';
import { DAY_MS, toUtcDay } from '../domain/utcDay.ts';
import type { Upstream } from './keyapi.ts';

/** Adds the demo data's charts of the days before today, as if all their pages had been fetched at noon. */
export function createDemoLookUp(
  itemIdsOn: NonNullable<Upstream['itemIdsOn']>,
  clock: Pick<Clock, 'now'>,
): LookUpRanks {
  return async (chart, days) => {
    const today = toUtcDay(clock.now());
    const pages: PageRanks[] = [];
    for (const day of days.filter((date) => date < today)) {
      pages.push(...toPages(itemIdsOn(chart, day), (day + 0.5) * DAY_MS));
      // Ranking a whole chart takes time: let other requests run between two days.
      await new Promise(setImmediate);
    }
    return pages;
  };
}

function toPages(itemIds: readonly string[], fetchedAt: number): PageRanks[] {
  return Array.from({ length: Math.ceil(itemIds.length / PAGE_SIZE) }, (_, index) => {
    const start = index * PAGE_SIZE;
    return {
      firstRank: start + 1,
      itemIds: itemIds.slice(start, start + PAGE_SIZE).join(),
      sequence: fetchedAt * 1000,
      fetchedAt,
    };
  });
}
