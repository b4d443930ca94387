import { describe, expect, it } from '@jest/globals';
import { type Chart, TrendingOrder, TrendingPeriod } from '../../../src/domain/chart.ts';
import { createEmulator } from '../../../src/keyapi/emulator/emulator.ts';
import { UNMOVED_DAY } from '../../../src/keyapi/emulator/scores.ts';
import { range } from '../../support/charts.ts';

const CHARTS: readonly Chart[] = ['US', 'JP'].flatMap((region) =>
  Object.values(TrendingPeriod).flatMap((period) =>
    Object.values(TrendingOrder).map((orderBy) => ({ region, period, orderBy })),
  ),
);
const TOP: Chart = { region: 'US', period: 7, orderBy: 'VIEWS' };

const { itemIdsOn } = createEmulator();

/** The ranks of `after` whose videos were not there in `before`. */
function movedRanks(before: readonly string[], after: readonly string[]): number[] {
  return after.flatMap((id, index) => (before[index] === id ? [] : [index + 1]));
}

/** What moves in a chart from each day to the next. */
function movesOf(chart: Chart, days: number): number[][] {
  const charts = range(UNMOVED_DAY + 1, UNMOVED_DAY + 1 + days).map((day) => itemIdsOn(chart, day));
  return charts.slice(1).map((after, index) => movedRanks(charts[index] ?? [], after));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe("the emulator's charts", () => {
  it('have about 55 of 500 videos elsewhere from one day to the next', () => {
    const counts = CHARTS.flatMap((chart) => movesOf(chart, 10).map((ranks) => ranks.length));
    expect(counts).toHaveLength(240);
    expect(Math.min(...counts)).toBeGreaterThan(20);
    expect(Math.max(...counts)).toBeLessThan(95);
    expect(mean(counts)).toBeGreaterThan(48);
    expect(mean(counts)).toBeLessThan(62);
  });

  it('lose and gain some of these videos, and keep the others', () => {
    const [before, after] = [40, 41].map((days) => new Set(itemIdsOn(TOP, UNMOVED_DAY + days)));
    const left = [...(before ?? [])].filter((id) => !after?.has(id)).length;
    expect([before?.size, after?.size]).toEqual([500, 500]);
    expect(left).toBeGreaterThan(10);
    expect(left).toBeLessThan(50);
  });

  it('move near the top now and then, but not at the very top', () => {
    const ranks = new Set(movesOf(TOP, 300).flat());
    expect(range(1, 4).filter((rank) => ranks.has(rank))).toEqual([]);
    expect(range(5, 22).filter((rank) => !ranks.has(rank))).toEqual([]);
  });

  it('exchange videos in pairs: whatever is not exchanged is where it is on the day without moves', () => {
    const unmoved = itemIdsOn(TOP, UNMOVED_DAY);
    const moved = itemIdsOn(TOP, UNMOVED_DAY + 7);
    const ranks = movedRanks(unmoved, moved);
    for (const rank of ranks) {
      const partner = unmoved.indexOf(moved[rank - 1] ?? '');
      if (partner >= 0) expect(moved[partner]).toBe(unmoved[rank - 1]);
    }
    expect(ranks.length).toBeGreaterThan(10);
    expect(ranks.length).toBeLessThan(200);
  });

  it('have the same moves of worldwide hits in all regions', () => {
    const [us, jp] = ['US', 'JP'].map((region) => itemIdsOn({ ...TOP, region }, UNMOVED_DAY + 3));
    const hits = us?.filter((id) => jp?.includes(id)) ?? [];
    expect(hits.length).toBeGreaterThan(20);
    expect(jp?.filter((id) => hits.includes(id))).toEqual(hits);
  });
});
