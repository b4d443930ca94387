import { LRUCache } from 'lru-cache';
import { Pool } from 'undici';
import { type Chart, chartId } from '../../src/domain/chart.ts';
import { encodeCursor } from '../../src/domain/cursor.ts';
import { encodeGlobalId } from '../../src/domain/globalId.ts';

/** Videos on a page. */
export const PAGE_SIZE = 20;

/** A video as in the peers' schema, so that default resolvers suffice. */
export interface Video {
  readonly id: string;
  readonly itemId: string;
  readonly itemUrl: string;
  readonly title: string;
  readonly cover: string;
  readonly coverExpiresAt: string;
  readonly duration: number;
  readonly region: string;
  readonly countryCode: string;
  readonly creator: { readonly handle: string; readonly url: string };
}

/** A video at its rank. */
export interface Edge {
  readonly cursor: string;
  readonly rank: number;
  readonly node: Video;
}

/** A page; its edges are created once, when it is fetched. */
export interface Page {
  readonly edges: readonly Edge[];
  readonly totalCount: number;
  /** ISO 8601. */
  readonly fetchedAt: string;
}

/** Returns a cached page directly, so that a peer need not wait for a promise. */
export type Pages = (chart: Chart, number: number) => Page | Promise<Page>;

/** A row as KeyAPI sends it. */
interface Row {
  readonly country_code: string;
  readonly cover: string;
  readonly duration: number;
  readonly item_id: string;
  readonly item_url: string;
  readonly region: string;
  readonly title: string;
}

/** Enough for every scenario: 120 charts of 25 pages. */
const MAX_PAGES = 5000;
const ORDERS = { VIEWS: 'vv', LIKES: 'like', COMMENTS: 'comment', REPOSTS: 'repost' } as const;

/** Fetches pages from upstream: each call is a paid request. */
export function createFetchedPages(keyapiUrl: string): (chart: Chart, number: number) => Promise<Page> {
  const pool = new Pool(keyapiUrl, { connections: 128 });
  return async (chart, number) => {
    const { statusCode, body } = await pool.request({
      method: 'GET',
      path: '/v1/tiktok/trending/videos',
      query: {
        region: chart.region,
        period: chart.period,
        order_by: ORDERS[chart.orderBy],
        page: number,
        limit: PAGE_SIZE,
      },
      headers: { authorization: 'Bearer bench' },
    });
    if (statusCode !== 200) throw new Error(`Upstream: expected status 200, but got: ${statusCode}`);
    return toPage(chart, number, (await body.json()) as UpstreamResponse);
  };
}

/** Caches the pages of `source` in memory, and coalesces concurrent requests for a page. */
export function createCachedPages(source: ReturnType<typeof createFetchedPages>): Pages {
  const pages = new LRUCache<string, Page>({ max: MAX_PAGES });
  const inFlight = new Map<string, Promise<Page>>();
  return (chart, number) => {
    const key = `${chartId(chart)}:${number}`;
    const page = pages.get(key) ?? inFlight.get(key);
    if (page !== undefined) return page;
    const fetching = source(chart, number)
      .then((fetched) => {
        pages.set(key, fetched);
        return fetched;
      })
      .finally(() => inFlight.delete(key));
    inFlight.set(key, fetching);
    return fetching;
  };
}

interface UpstreamResponse {
  readonly data: { readonly pagination: { readonly total_count: number }; readonly videos: readonly Row[] };
}

function toPage(chart: Chart, number: number, { data }: UpstreamResponse): Page {
  const edges = data.videos.map((row, index) => {
    const rank = (number - 1) * PAGE_SIZE + index + 1;
    return { cursor: encodeCursor(chart, { rank, itemId: row.item_id }), rank, node: toVideo(row) };
  });
  return { edges, totalCount: data.pagination.total_count, fetchedAt: new Date().toISOString() };
}

/** Reads links by pattern, which is much faster than parsing them. */
function toVideo(row: Row): Video {
  const [creatorUrl = '', handle = ''] = /^https:\/\/[^/]+\/@([^/]+)/.exec(row.item_url) ?? [];
  const [, expires] = /x-expires=(\d+)/.exec(row.cover) ?? [];
  return {
    id: encodeGlobalId('TrendingVideo', row.item_id),
    itemId: row.item_id,
    itemUrl: row.item_url,
    title: row.title,
    cover: row.cover,
    coverExpiresAt: new Date(Number(expires) * 1000).toISOString(),
    duration: row.duration,
    region: row.region,
    countryCode: row.country_code,
    creator: { handle: decodeURIComponent(handle), url: creatorUrl },
  };
}
