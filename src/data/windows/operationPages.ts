import DataLoader from 'dataloader';
import type { Operation } from '../../domain/operation.ts';
import { type PageKey, pageId } from '../../domain/page.ts';
import type { OnDataEvent } from '../events.ts';
import type { PageCache, ReadPage } from '../pages/pageCache.ts';
import type { HeldPage } from '../pages/pageStore.ts';
import type { PageUse, ReadPages } from './resultPages.ts';

/** The pages of one operation, each counted once in its cost. Never shared between operations. */
export interface OperationPages {
  /** Uses a page that is held. */
  use(page: HeldPage, use: PageUse): void;
  /**
   * Gets a page: what all aliases want in one tick is asked for once, together, and a page or an error that the
   * operation got stays the same for it.
   */
  load(key: PageKey): Promise<HeldPage>;
  /** Forgets what `load` gave for this key. */
  clear(key: PageKey): void;
}

/** The pages that `operation` uses; `readPages` is told of each. */
export function createOperationPages(
  cache: PageCache,
  operation: Operation,
  readPages: ReadPages,
  onEvent: OnDataEvent,
): OperationPages {
  function count({ page, origin }: ReadPage, use: PageUse): HeldPage {
    if (readPages.add(page, use)) {
      operation.cost.pages[origin]++;
      onEvent({ type: 'pageRead', origin, chart: page.chart, page: page.number });
    }
    return page;
  }

  // Made when a page has to be waited for: most operations find what they need.
  let loader: DataLoader<PageKey, HeldPage, string> | undefined;
  const createLoader = () =>
    new DataLoader<PageKey, HeldPage, string>(
      // The cache rejects with Errors alone.
      (keys) =>
        Promise.all(
          keys.map((key) =>
            cache.fetch(key, operation).then(
              (read) => count(read, 'window'),
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
