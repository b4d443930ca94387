import { type Chart, TrendingOrder, TrendingPeriod } from '../../src/domain/chart.ts';
import { encodeGlobalId } from '../../src/domain/globalId.ts';
import type { CachedPage, PageKey } from '../../src/domain/page.ts';
import type { TrendingVideo } from '../../src/domain/trendingVideo.ts';
import type { PageSource } from './sources.ts';

export const US_VIEWS: Chart = {
  region: 'US',
  period: TrendingPeriod.LAST_7_DAYS,
  orderBy: TrendingOrder.VIEWS,
};

/** A video whose item id is `id`. */
export function makeVideo(id: number): TrendingVideo {
  const itemId = String(id);
  return {
    id: encodeGlobalId('TrendingVideo', itemId),
    itemId,
    itemUrl: `https://www.tiktok.com/@someone/video/${itemId}`,
    title: `Video ${itemId}`,
    cover: null,
    coverExpiresAt: null,
    duration: 9,
    region: null,
    countryCode: null,
    creator: null,
  };
}

/** The whole numbers `from` to `to`, both included. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}

/** Videos with the ids `from` to `to`: a chart on which, from 1, the id is the rank. */
export function makeVideos(from: number, to: number): TrendingVideo[] {
  return range(from, to).map(makeVideo);
}

/** The page with this number of a chart that consists of `rows`, in pages of `pageSize`. */
export function makePage(
  rows: readonly (TrendingVideo | null)[],
  number: number,
  pageSize: number,
  overrides: Partial<CachedPage> = {},
): CachedPage {
  return {
    chart: US_VIEWS,
    number,
    pageSize,
    rows: rows.slice((number - 1) * pageSize, number * pageSize),
    hasMore: number * pageSize < rows.length,
    totalCount: rows.length,
    fetchedAt: 1_000_000,
    sequence: 1,
    generation: 1,
    freshUntil: Number.POSITIVE_INFINITY,
    coversUntil: null,
    ...overrides,
  };
}

/** A source that serves `chart.rows` in pages of `chart.pageSize`, both of which may change. `bill` lists the pages
 * that were fetched. */
export function createArraySource(chart: { rows: readonly (TrendingVideo | null)[]; pageSize: number }): {
  source: PageSource;
  bill: number[];
} {
  const bill: number[] = [];
  const source: PageSource = async (key: PageKey, { onSent }) => {
    onSent();
    bill.push(key.number);
    return { ...makePage(chart.rows, key.number, chart.pageSize), chart: key.chart };
  };
  return { source, bill };
}
