import { type PageRef, pageId } from '../../domain/page.ts';

// Keys in Redis, without the prefix of the connection.

/** Key of a page's value. */
export function keyOfPage(page: PageRef): string {
  return `page:${pageId(page)}`;
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
