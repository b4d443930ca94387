import { isCountryCode } from '../../domain/countryCode.ts';
import { isItemId } from '../../domain/trendingVideo.ts';
import { MAX_BATCH } from '../../domain/videoStats.ts';
import type { Metric } from './metrics.ts';

/** The parameters of a request for a page, defaults applied. */
export interface RequestParameters {
  readonly page: number;
  readonly limit: number;
  readonly period: string;
  readonly region: string;
  readonly order_by: Metric;
}

const MAX_LIMIT = 20;

/** Reads a request's parameters as KeyAPI does; returns the name of the first malformed one instead. */
export function parseParameters(query: URLSearchParams): RequestParameters | string {
  const page = query.get('page') ?? '1';
  const limit = query.get('limit') ?? '20';
  const period = query.get('period') ?? '7';
  const region = query.get('region') ?? 'US';
  const orderBy = query.get('order_by') ?? 'vv';
  if (!isCount(page)) return 'page';
  if (!isCount(limit)) return 'limit';
  if (!['7', '30', '120'].includes(period)) return 'period';
  if (!isCountryCode(region)) return 'region';
  if (!isMetric(orderBy)) return 'order_by';
  // A larger limit is silently treated as 20.
  return { page: Number(page), limit: Math.min(Number(limit), MAX_LIMIT), period, region, order_by: orderBy };
}

/** The videos that a request for numbers names, each once; null when they are too many or one is malformed. */
export function parseVideoIds(text: string): readonly string[] | null {
  const ids = text.split(',');
  return ids.length <= MAX_BATCH && ids.every(isItemId) ? [...new Set(ids)] : null;
}

function isMetric(text: string): text is Metric {
  return ['vv', 'like', 'comment', 'repost'].includes(text);
}

function isCount(text: string): boolean {
  return /^[1-9]\d{0,14}$/.test(text);
}
