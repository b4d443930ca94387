import { type Chart, chartId, parseChartId } from './chart.ts';
import type { TrendingVideo } from './trendingVideo.ts';

/** Videos on a page of the grid, and the `limit` of every upstream request: a smaller one costs the same. */
export const PAGE_SIZE = 20;

/** Ranks of a full chart: 25 pages. */
export const FULL_CHART = 500;

/** Names a page: number `number` (from 1) of `chart`, when it is cut into pages of `pageSize`. */
export interface PageKey {
  readonly chart: Chart;
  readonly number: number;
  readonly pageSize: number;
}

/** Names a page whatever grid it is cut in: pages of one number are the same request. */
export type PageRef = Pick<PageKey, 'chart' | 'number'>;

/** One page of a chart as upstream answered it. */
export interface Page extends PageKey {
  /** The limit in force upstream, which may be smaller than `PAGE_SIZE`. */
  readonly pageSize: number;
  /** At most `pageSize`; null where a row could not be read, so that its rank stays empty. */
  readonly rows: readonly (TrendingVideo | null)[];
  readonly hasMore: boolean;
  /** Length of the whole chart, as this answer claims. */
  readonly totalCount: number;
  /** When it was fetched, in Unix milliseconds. */
  readonly fetchedAt: number;
}

/** A page at hand. */
export interface KnownPage extends Page {
  /** Its turn among all pages fetched: the larger, the newer. The wall clock, which may be set back, has no say. */
  readonly sequence: number;
}

/** A page's identity as text: `US:7:VIEWS:1`. Part of cache keys. */
export function pageId({ chart, number }: PageRef): string {
  return `${chartId(chart)}:${number}`;
}

/** The page that `pageId` names by this text; undefined for any other text. */
export function parsePageId(text: string): PageRef | undefined {
  const end = text.lastIndexOf(':');
  const chart = parseChartId(text.slice(0, end));
  const number = text.slice(end + 1);
  return chart && /^[1-9]\d{0,5}$/.test(number) ? { chart, number: Number(number) } : undefined;
}

/** Number of chart ranks that stand before this page. */
export function rankOffset({ number, pageSize }: PageKey): number {
  return (number - 1) * pageSize;
}

/** What a caller hands down with a fetch; each layer may add to it. */
export interface FetchOptions {
  /** Throws when the page is not to be asked for any more: called before a request takes its turn, and is sent. */
  readonly check: () => void;
  /** Called as each request leaves for upstream, that is: when it is paid for. One that failed before that counts too. */
  readonly onRequest: () => void;
  /** The moment, on the monotonic clock, from which on nobody waits for the page any more. */
  readonly deadline: () => number;
  /** True when nobody waits for the page even now: it refreshes one that is served meanwhile. */
  readonly background: boolean;
}

/**
 * Where pages come from: the port between the wire and the data layer, and the shape of every layer between
 * them. Rejects with an `ApiError`.
 */
export type PageSource = (key: PageKey, options: FetchOptions) => Promise<Page>;
