import { lacksRows, type Page, type PageKey, pageEndpoint } from '../../domain/page.ts';
import type { Source } from '../../domain/source.ts';
import type { OnDataEvent } from '../events.ts';
import { createEmptyPageError } from './emptyPage.ts';
import type { PageStore } from './pageStore.ts';

/** See `withEmptyPageCheck`. */
interface EmptyPageCheckOptions {
  readonly store: PageStore;
  readonly onEvent: OnDataEvent;
}

/**
 * Rejects empty pages that contradict what is cached (see `rejectContradiction`), and emits an event. Others that lack
 * their rows get `timesEmpty`, which decides how long they are cached.
 */
export function withEmptyPageCheck(
  source: Source<PageKey, Page>,
  { store, onEvent }: EmptyPageCheckOptions,
): Source<PageKey, Page> {
  return async (key, call) => {
    const page = await source(key, call);
    if (!lacksRows(page)) return page;
    if (!store.contradicts(page)) return { ...page, timesEmpty: store.timesEmpty(page) + 1 };
    onEvent({ type: 'emptyPage', endpoint: pageEndpoint.name, key: pageEndpoint.describe(key) });
    throw createEmptyPageError();
  };
}
