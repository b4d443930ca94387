import { type Chart, TrendingOrder, TrendingPeriod } from '../../domain/chart.ts';
import { isCountryCode } from '../../domain/countryCode.ts';
import { isItemId } from '../../domain/trendingVideo.ts';
import { MAX_BATCH } from '../../domain/videoStats.ts';

/** What charts are ordered by, in KeyAPI's words. */
export const METRICS = {
  VIEWS: 'vv',
  LIKES: 'like',
  COMMENTS: 'comment',
  REPOSTS: 'repost',
} as const satisfies Record<TrendingOrder, string>;
/** What a video is ranked by, in KeyAPI's words. */
export type Metric = (typeof METRICS)[TrendingOrder];

/** The parameters of a request for a page, defaults applied. */
export interface RequestParameters {
  readonly page: number;
  readonly limit: number;
  readonly chart: Chart;
}

const MAX_LIMIT = 20;

/** Reads a request's parameters as KeyAPI does; returns the name of the first malformed one instead. */
export function parseParameters(query: URLSearchParams): RequestParameters | string {
  const page = query.get('page') ?? '1';
  const limit = query.get('limit') ?? '20';
  const period = parsePeriod(query.get('period') ?? '7');
  const region = query.get('region') ?? 'US';
  const orderBy = parseOrder(query.get('order_by') ?? METRICS.VIEWS);
  if (!isCount(page)) return 'page';
  if (!isCount(limit)) return 'limit';
  if (!period) return 'period';
  if (!isCountryCode(region)) return 'region';
  if (!orderBy) return 'order_by';
  // A larger limit is silently treated as 20.
  const rows = Math.min(Number(limit), MAX_LIMIT);
  return { page: Number(page), limit: rows, chart: { region, period, orderBy } };
}

/** The videos that a request for numbers names, each once; null when they are too many or one is malformed. */
export function parseVideoIds(text: string): readonly string[] | null {
  const ids = text.split(',');
  return ids.length <= MAX_BATCH && ids.every(isItemId) ? [...new Set(ids)] : null;
}

function parsePeriod(text: string): TrendingPeriod | undefined {
  return Object.values(TrendingPeriod).find((days) => String(days) === text);
}

function parseOrder(text: string): TrendingOrder | undefined {
  return Object.values(TrendingOrder).find((order) => METRICS[order] === text);
}

function isCount(text: string): boolean {
  return /^[1-9]\d{0,14}$/.test(text);
}
