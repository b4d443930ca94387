import DataLoader from 'dataloader';
import type { TrendingVideo } from '../../domain/trendingVideo.ts';
import type { OperationPages } from './operationPages.ts';
import type { PageCache } from '../pages/pageCache.ts';
import type { ReadPages } from './resultPages.ts';

/** Finds a video by TikTok's id; null where no page that is held has it. */
export type FindVideo = (itemId: string) => Promise<TrendingVideo | null>;

/**
 * Finds videos for one operation on the pages of all charts that are held, here or by other replicas, however old they
 * are; the newest copy wins. All that is asked for in one tick is looked up together. Costs nothing: no page is
 * fetched for it, nor refreshed.
 */
export function createVideoFinder(
  cache: PageCache,
  operationPages: OperationPages,
  readPages: ReadPages,
): FindVideo {
  let loader: DataLoader<string, TrendingVideo | null> | undefined;

  async function findAll(itemIds: readonly string[]): Promise<(TrendingVideo | null)[]> {
    const found = await cache.findVideos(itemIds);
    return found.map((copy) => {
      if (!copy) {
        readPages.addUnknown();
        return null;
      }
      operationPages.use(copy.page, 'lookup');
      return copy.video;
    });
  }

  return (itemId) => {
    // Made when it is needed: most operations look nothing up.
    loader ??= new DataLoader(findAll);
    return loader.load(itemId);
  };
}
