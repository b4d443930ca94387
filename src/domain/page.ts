import { type Chart, chartId, parseChartId } from './chart.ts';
import type { Endpoint } from './endpoint.ts';
import type { TrendingVideo } from './trendingVideo.ts';

/** Videos on a page, and the `limit` of every upstream request: a smaller limit costs the same. */
export const PAGE_SIZE = 20;

/** Ranks of a full chart: 25 pages. */
export const FULL_CHART = 500;

/** Identifies a page: page `number` (from 1) of `chart`, and so a request to upstream, whatever the page's size. */
export interface PageKey {
  readonly chart: Chart;
  readonly number: number;
}

/** A page as upstream sent it. */
export interface Page extends PageKey {
  /** Ranks on each page of the chart: the limit that upstream applied, which may be smaller than `PAGE_SIZE`. */
  readonly pageSize: number;
  /** At most `pageSize`; null for a row that could not be read, whose rank stays empty. */
  readonly rows: readonly (TrendingVideo | null)[];
  readonly hasMore: boolean;
  /** Length of the whole chart, as this response claims. */
  readonly totalCount: number;
  /** When it was fetched, in Unix milliseconds. */
  readonly fetchedAt: number;
  /** How often in a row it came without the rows that it ought to have (`lacksRows`); absent for any other page. */
  readonly timesEmpty?: number | undefined;
}

/** A copy of a page in the cache, or one that was just read and stored. */
export interface CachedPage extends Page {
  /**
   * Sequence number among all pages fetched: the larger, the newer. Independent of the wall clock, which may be set
   * back.
   */
  readonly sequence: number;
  /** Identifies the generation of its chart, whose pages expire together, by the sequence number of its first page. */
  readonly generation: number;
  /** End of its time to live, on the monotonic clock. */
  readonly freshUntil: number;
  /** When its first cover expires, on the monotonic clock; null when that is no reason to refresh it. */
  readonly coversUntil: number | null;
}

/** Identifies a copy of a page without retaining the page itself. */
export type PageCopy = Pick<CachedPage, 'chart' | 'number' | 'generation' | 'freshUntil'>;

/** Identifies a page: `US:7:VIEWS:1`. Part of cache keys. */
export function pageId({ chart, number }: PageKey): string {
  return `${chartId(chart)}:${number}`;
}

/** The page with this id; undefined for any other text. */
export function parsePageId(text: string): PageKey | undefined {
  const end = text.lastIndexOf(':');
  const chart = parseChartId(text.slice(0, end));
  const number = text.slice(end + 1);
  return chart && /^[1-9]\d{0,5}$/.test(number) ? { chart, number: Number(number) } : undefined;
}

/** The item ids of a page's readable rows, top first. */
export function itemIdsOf({ rows }: Pick<Page, 'rows'>): string[] {
  return rows.flatMap((row) => row?.itemId ?? []);
}

/** Number of ranks before this page. */
export function rankOffset({ number, pageSize }: Pick<Page, 'number' | 'pageSize'>): number {
  return (number - 1) * pageSize;
}

/** How long a page that should have rows but is empty is accepted; doubles each time in a row. */
export const EMPTY_PAGE_MS = 60_000;

/** How long it is stored after that, at least, however long other pages may be served stale. */
const EMPTY_MEMORY_MS = 86_400_000;

/**
 * True for a page without rows that ought to have some: its chart claims to reach it, or to have no videos at all. A page
 * beyond the end of its chart is empty for a reason.
 */
export function lacksRows(page: Page): boolean {
  return page.rows.length === 0 && (page.totalCount === 0 || page.totalCount > rankOffset(page));
}

/**
 * Whether a page says that the rows of another page of its chart do not exist: it lacks the same rows, or shows the whole
 * chart to be empty. One that has rows does so by a `totalCount` of 0, unless the other claims nothing else.
 */
export function denies(page: Page, other: Page): boolean {
  if (other.rows.length === 0) return false;
  if (page.totalCount === 0 && other.totalCount > 0) return true;
  if (!lacksRows(page)) return false;
  return page.number === other.number || page.number === 1 || page.totalCount === 0;
}

/** How long a page is stored after its expiry, where pages with rows may be served stale for `staleMs`. */
export function toRetentionMs(page: Page, staleMs: number): number {
  return lacksRows(page) ? Math.max(staleMs, EMPTY_MEMORY_MS) : staleMs;
}

/** KeyAPI's endpoint for pages of trending charts. */
export const pageEndpoint: Endpoint<PageKey> = {
  name: 'trendingVideos',
  credits: 2,
  priority: 1,
  pauses: { codes: ['UPSTREAM_FORBIDDEN'], maxSeconds: 60 },
  toId: pageId,
  describe: ({ chart, number }) => ({ chart: chartId(chart), page: number }),
};
