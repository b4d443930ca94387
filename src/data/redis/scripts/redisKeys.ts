import { type Chart, chartId } from '../../../domain/chart.ts';
import { type PageRef, pageId } from '../../../domain/page.ts';

// All keys in Redis, without the prefix of the connection.

/** Part of that prefix. Changes with the format of the values, so that different releases do not read each other's. */
export const VALUES_VERSION = 'v1';

/** Key of the sorted set of replicas, by their last heartbeat. */
export const REPLICAS_KEY = 'replicas';

/** Key of the stream of pages that were stored. */
export const CHANGES_KEY = 'changes';

/** Keys of the limits that all replicas share: circuit breaker, rate limit and budget. */
export const LIMIT_KEYS = ['circuit', 'calls', 'budget'];

/** Key of a page's value. */
export function keyOfPage(page: PageRef): string {
  return keyOfPageId(pageId(page));
}

/** Key of the value of the page with this id. */
export function keyOfPageId(id: string): string {
  return `page:${id}`;
}

/** Key of a page's lock: the replica that holds it fetches the page. */
export function keyOfLock(page: PageRef): string {
  return `lock:${pageId(page)}`;
}

/** Key of a page's entry in the negative cache: the error that fetching it failed with. */
export function keyOfFailure(page: PageRef): string {
  return `failure:${pageId(page)}`;
}

/** Key of the list of pages that a video is on. */
export function keyOfVideo(itemId: string): string {
  return `video:${itemId}`;
}

/** Key of a chart's newest generation. */
export function keyOfGeneration(chart: Chart): string {
  return `generation:${chartId(chart)}`;
}

/** Key of the request counts of a client. */
export function keyOfRequestCounts(client: string): string {
  return `requests:${client}`;
}
