import DataLoader from 'dataloader';
import type { PageCache } from '../pages/pageCache.ts';
import type { FoundVideo } from '../pages/pageStore.ts';
import type { OperationPages } from './operationPages.ts';

/** Finds a video by TikTok's id, with the page that it is on; null when no cached page has it. */
export type FindVideo = (itemId: string) => Promise<FoundVideo | null>;

/**
 * Finds videos for one operation on the cached pages of all charts, here and in other replicas, however old the pages
 * are; the newest copy wins. All videos of one tick are looked up together. Costs nothing: no page is fetched or
 * refreshed.
 */
export function createVideoFinder(cache: PageCache, pages: OperationPages): FindVideo {
  let loader: DataLoader<string, FoundVideo | null> | undefined;

  async function findAll(itemIds: readonly string[]): Promise<(FoundVideo | null)[]> {
    const found = await cache.findVideos(itemIds);
    return found.map((copy) => {
      if (!copy) {
        pages.recordNotFound();
        return null;
      }
      pages.use(copy.page, 'lookup');
      return copy;
    });
  }

  return (itemId) => {
    // Created on demand: most operations look nothing up.
    loader ??= new DataLoader(findAll);
    return loader.load(itemId);
  };
}
