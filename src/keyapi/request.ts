import type { TrendingOrder } from '../domain/chart.ts';
import { PAGE_SIZE, type PageKey } from '../domain/page.ts';

const ORDER_BY: Record<TrendingOrder, string> = {
  VIEWS: 'vv',
  LIKES: 'like',
  COMMENTS: 'comment',
  REPOSTS: 'repost',
};

/** The path and query of a request for a page; `baseUrl` may have a path of its own. */
export function toRequestPath(baseUrl: URL, { chart, number }: PageKey): string {
  const query = new URLSearchParams({
    page: String(number),
    period: String(chart.period),
    limit: String(PAGE_SIZE),
    region: chart.region,
    order_by: ORDER_BY[chart.orderBy],
  });
  return `${baseUrl.pathname.replace(/\/+$/, '')}/v1/tiktok/trending/videos?${query}`;
}
