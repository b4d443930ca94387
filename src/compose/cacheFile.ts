import { sourceId } from '../config/sourceId.ts';
import { type CacheFile, createCacheFile } from '../data/cacheFile.ts';
import type { PageStore } from '../data/pages/pageStore.ts';
import type { StatsStore } from '../data/stats/statsStore.ts';
import type { AppContext } from './appContext.ts';

/** Fills the stores from the cache file; undefined when there is none. */
export async function openCacheFile(
  { config, clock, onEvent }: AppContext,
  stores: { readonly pages: PageStore; readonly stats: StatsStore },
): Promise<CacheFile | undefined> {
  const { file, ttlMs, statsTtlMs } = config.cache;
  if (file === undefined) return undefined;
  const cacheFile = createCacheFile({
    file,
    sourceId: sourceId(config),
    ...stores,
    ttlMs,
    statsTtlMs,
    clock,
    onEvent,
  });
  await cacheFile.read();
  return cacheFile;
}
