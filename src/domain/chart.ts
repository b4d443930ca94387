import { isCountryCode } from './countryCode.ts';
import { ApiError } from './errors.ts';
import { quote } from './quote.ts';

/** Trailing window a chart covers, in days. */
export const TrendingPeriod = { LAST_7_DAYS: 7, LAST_30_DAYS: 30, LAST_120_DAYS: 120 } as const;
/** A trailing window, in days: 7, 30 or 120. */
export type TrendingPeriod = (typeof TrendingPeriod)[keyof typeof TrendingPeriod];

/** What a chart is ranked by, highest first. */
export const TrendingOrder = {
  VIEWS: 'VIEWS',
  LIKES: 'LIKES',
  COMMENTS: 'COMMENTS',
  REPOSTS: 'REPOSTS',
} as const;
/** What a chart is ranked by, by name. */
export type TrendingOrder = (typeof TrendingOrder)[keyof typeof TrendingOrder];

/** One ranking of trending videos. `region` is an upper-case ISO 3166-1 alpha-2 code. */
export interface Chart {
  readonly region: string;
  readonly period: TrendingPeriod;
  readonly orderBy: TrendingOrder;
}

/** Identifies a chart: `US:7:VIEWS`. Part of cache keys and of cursors. */
export function chartId({ region, period, orderBy }: Chart): string {
  return `${region}:${period}:${orderBy}`;
}

/** The chart with this id; undefined for any other text. */
export function parseChartId(text: string): Chart | undefined {
  const [region = '', days, name] = text.split(':');
  const period = Object.values(TrendingPeriod).find((known) => String(known) === days);
  const orderBy = Object.values(TrendingOrder).find((known) => known === name);
  if (!isCountryCode(region) || !period || !orderBy) return undefined;
  const chart = { region, period, orderBy };
  return chartId(chart) === text ? chart : undefined;
}

/** A chart, and how many of its ranks, from 1. */
export interface ChartRanks {
  readonly chart: Chart;
  readonly ranks: number;
}

/** The code of a country in either case; undefined for any other text. */
export function parseRegion(text: string): string | undefined {
  // Tested before upper-casing, which turns some single letters into two: "ß" would become South Sudan's "SS".
  const code = /^[a-z]{2}$/i.test(text) ? text.toUpperCase() : '';
  return isCountryCode(code) ? code : undefined;
}

/**
 * The chart of a client's arguments; `us` and `US` are one chart.
 *
 * @throws {ApiError} `BAD_USER_INPUT` when `region` is not a country.
 */
export function toChart(region: string, period: TrendingPeriod, orderBy: TrendingOrder): Chart {
  const code = parseRegion(region);
  if (!code) {
    throw new ApiError('BAD_USER_INPUT', {
      message: `Argument "region": expected an ISO 3166-1 alpha-2 country code, but got: ${quote(region)}`,
    });
  }
  return { region: code, period, orderBy };
}
