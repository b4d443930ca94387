import DataLoader from 'dataloader';
import type { Operation } from '../../domain/operation.ts';
import { type PageKey, pageId } from '../../domain/page.ts';
import type { OnDataEvent } from '../events.ts';
import type { PageCache, PageWithOrigin } from '../pages/pageCache.ts';
import type { CachedPage } from '../pages/pageStore.ts';
import type { PageUse, ResultPages } from './resultPages.ts';

/** The pages that one operation uses, each counted once in its cost. Not shared between operations. */
export interface OperationPages {
  /** Uses a cached page. */
  use(page: CachedPage, use: PageUse): void;
  /**
   * Loads a page. All pages that are needed in one tick are requested together, and the operation gets the same page,
   * or the same error, each time.
   */
  load(key: PageKey): Promise<CachedPage>;
  /** Forgets the page, or the error, that `load` gave for this key. */
  clear(key: PageKey): void;
}

/** `PageCache.fetch`, possibly decorated. */
export type ReadPage = PageCache['fetch'];

/** See `createOperationPages`. */
interface OperationPagesOptions {
  readonly cache: PageCache;
  readonly readPage: ReadPage;
  readonly operation: Operation;
  /** Records each page that is used. */
  readonly resultPages: ResultPages;
  readonly onEvent: OnDataEvent;
}

/** Creates the pages of one operation. */
export function createOperationPages(options: OperationPagesOptions): OperationPages {
  const { cache, readPage, operation, resultPages, onEvent } = options;

  function count({ page, origin }: PageWithOrigin, use: PageUse): CachedPage {
    if (resultPages.add(page, use)) {
      operation.cost.pages[origin]++;
      onEvent({ type: 'pageRead', origin, chart: page.chart, page: page.number });
    }
    return page;
  }

  // Created on demand: most operations find all their pages in the cache.
  let loader: DataLoader<PageKey, CachedPage, string> | undefined;
  const createLoader = () =>
    new DataLoader<PageKey, CachedPage, string>(
      (keys) =>
        Promise.all(
          keys.map((key) =>
            readPage(key, operation).then(
              (read) => count(read, 'window'),
              // The cache rejects with nothing but Errors.
              (error: Error) => error,
            ),
          ),
        ),
      { cacheKeyFn: (key) => `${pageId(key)}:${key.pageSize}` },
    );

  return {
    use: (page, use) => void count(cache.use(page), use),
    load: (key) => {
      loader ??= createLoader();
      return loader.load(key);
    },
    clear: (key) => void loader?.clear(key),
  };
}
