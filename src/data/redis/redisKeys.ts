import { type PageRef, pageId } from '../../domain/page.ts';

/** Where a page is kept in Redis. */
export function pageName(key: PageRef): string {
  return `page:${pageId(key)}`;
}

/** Whoever holds it fetches the page. */
export function lockName(key: PageRef): string {
  return `lock:${pageId(key)}`;
}

/** What the page could not be had for. */
export function failureName(key: PageRef): string {
  return `failure:${pageId(key)}`;
}

/** The pages that a video stands on. */
export function videoName(itemId: string): string {
  return `video:${itemId}`;
}
