import { ApiError } from '../../domain/errors.ts';
import { emptiesChart, lacksRows, type Page, type PageKey, pageEndpoint } from '../../domain/page.ts';
import type { Source } from '../../domain/source.ts';
import type { OnDataEvent } from '../events.ts';
import type { PageStore } from './pageStore.ts';

/** See `withEmptyPageCheck`. */
interface EmptyPageCheckOptions {
  readonly store: PageStore;
  readonly onEvent: OnDataEvent;
}

/**
 * Rejects empty pages that contradict what is cached. KeyAPI's charts come from sources that can be retired, and then it
 * responds without an error and without videos: that must not replace a chart. Others that lack their rows get
 * `timesEmpty`, which decides how long they are cached.
 *
 * Rejects with `UPSTREAM_BAD_RESPONSE`.
 */
export function withEmptyPageCheck(
  source: Source<PageKey, Page>,
  { store, onEvent }: EmptyPageCheckOptions,
): Source<PageKey, Page> {
  return async (key, call) => {
    const page = await source(key, call);
    if (!lacksRows(page)) return page;
    if (!hasRows(store, page)) return { ...page, timesEmpty: store.timesEmpty(page) + 1 };
    onEvent({ type: 'emptyPage', endpoint: pageEndpoint.name, key: pageEndpoint.describe(key) });
    throw new ApiError('UPSTREAM_BAD_RESPONSE', {
      // Any other response would not have become a page.
      upstream: { status: 200, code: 0, requestId: null },
      wasSent: true,
      isEmptyPage: true,
      detail: 'The page is empty, but rows of it or of its chart are cached',
    });
  };
}

/** Whether rows are cached that this page says do not exist. */
function hasRows(store: PageStore, page: Page): boolean {
  const copies = store.copies(page.chart).filter(({ rows }) => rows.length > 0);
  return emptiesChart(page) ? copies.length > 0 : copies.some(({ number }) => number === page.number);
}
