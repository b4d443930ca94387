import { lacksRows, type Page, type PageKey } from '../../domain/page.ts';
import type { Source } from '../../domain/source.ts';
import type { OnDataEvent } from '../events.ts';
import { reportEmptyPage } from './emptyPage.ts';
import type { PageStore } from './pageStore.ts';

/** See `withEmptyPageCheck`. */
interface EmptyPageCheckOptions {
  readonly store: PageStore;
  readonly onEvent: OnDataEvent;
}

/**
 * Rejects pages that contradict what is cached (see `createEmptyPageError`). Others that lack their rows get
 * `timesEmpty`, which decides how long they are cached.
 */
export function withEmptyPageCheck(
  source: Source<PageKey, Page>,
  { store, onEvent }: EmptyPageCheckOptions,
): Source<PageKey, Page> {
  return async (key, call) => {
    const page = await source(key, call);
    if (store.contradicts(page)) throw reportEmptyPage(key, onEvent);
    if (!lacksRows(page)) return page;
    return { ...page, timesEmpty: (store.latest(page)?.timesEmpty ?? 0) + 1 };
  };
}
