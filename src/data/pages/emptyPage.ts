import { ApiError } from '../../domain/errors.ts';
import type { Page } from '../../domain/page.ts';
import type { PageStore } from './pageStore.ts';

/**
 * Rejects an empty page that contradicts what is cached. KeyAPI's charts come from sources that can be retired, and then
 * it responds without an error and without videos: that must not replace a chart.
 *
 * @throws {ApiError} `UPSTREAM_BAD_RESPONSE`.
 */
export function rejectContradiction(page: Page, store: PageStore): void {
  if (store.contradicts(page)) throw createEmptyPageError();
}

/** The error of an empty page in place of rows. */
export function createEmptyPageError(): ApiError {
  return new ApiError('UPSTREAM_BAD_RESPONSE', {
    message: 'The data provider sent no videos for a chart that had some.',
    // Any other response would not have become a page.
    upstream: { status: 200, code: 0, requestId: null },
    wasSent: true,
    isEmptyPage: true,
    detail: 'The page is empty, but rows of it or of its chart are cached',
  });
}
