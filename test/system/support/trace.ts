import { type Chart, chartId, TrendingOrder, TrendingPeriod } from '../../../src/domain/chart.ts';
import { encodeCursor } from '../../../src/domain/cursor.ts';
import { range } from '../../support/charts.ts';

/** An operation of a trace, and the pages that its window needs. */
export interface TracedOperation {
  readonly query: string;
  /** As `US:7:VIEWS:1`. */
  readonly pages: readonly string[];
}

const REGIONS = ['US', 'GB', 'DE', 'FR', 'ES', 'IT', 'BR', 'MX', 'JP', 'IN'];
const CHART_LENGTH = 500;
const PAGE_SIZE = 20;

/** Every chart of ten regions, the most popular first. */
const CHARTS: readonly Chart[] = REGIONS.flatMap((region) =>
  Object.values(TrendingPeriod).flatMap((period) =>
    Object.values(TrendingOrder).map((orderBy) => ({ region, period, orderBy })),
  ),
);

/**
 * Simulates the operations of many readers: charts follow Zipf's law (the n-th is requested 1/n times as often as the first),
 * windows have 5 to 100 ranks at any depth of the chart, forwards or backwards. The same seed gives the same trace.
 */
export function makeTrace(count: number, seed = 1): TracedOperation[] {
  const random = createRandom(seed);
  const between = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
  const weights = CHARTS.map((_, index) => 1 / (index + 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);

  function pickChart(): Chart {
    let rest = random() * total;
    const index = weights.findIndex((weight) => {
      rest -= weight;
      return rest < 0;
    });
    return CHARTS[Math.max(0, index)] as Chart;
  }

  return Array.from({ length: count }, () => {
    const chart = pickChart();
    const size = between(5, 100);
    const first = between(1, CHART_LENGTH - size + 1);
    const last = first + size - 1;
    const after = encodeCursor(chart, { rank: Math.max(1, first - 1), itemId: null });
    const before = encodeCursor(chart, { rank: last + 1, itemId: null });
    let window = `last: ${size}, before: "${before}"`;
    if (first === 1) window = `first: ${size}`;
    else if (random() < 0.5) window = `first: ${size}, after: "${after}"`;
    const period = Object.entries(TrendingPeriod).find(([, days]) => days === chart.period)?.[0];
    const query = `{ trendingVideos(region: "${chart.region}", period: ${period}, orderBy: ${chart.orderBy}, ${window}) { edges { rank node { itemId } } } }`;
    const pages = range(Math.ceil(first / PAGE_SIZE), Math.ceil(last / PAGE_SIZE));
    return { query, pages: pages.map((number) => `${chartId(chart)}:${number}`) };
  });
}

/** A pseudo-random generator of numbers from 0 up to 1 (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
