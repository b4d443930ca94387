import DataLoader from 'dataloader';
import { chartId } from '../domain/chart.ts';
import type { PageKey } from '../domain/page.ts';
import type { UpstreamCost } from '../domain/upstreamCost.ts';
import type { HeldPage, PageCache } from './pageCache.ts';

/** Loads pages for one operation. */
export type PageLoader = DataLoader<PageKey, HeldPage, string>;

/**
 * The pages of one operation: what all its aliases want in one tick is asked for once, together, and a page or
 * an error that it got stays the same for it. Never shared between operations.
 */
export function createPageLoader(cache: PageCache, cost: UpstreamCost): PageLoader {
  return new DataLoader(
    // The cache rejects with Errors alone.
    (keys) => Promise.all(keys.map((key) => cache.fetch(key, cost).catch((error: Error) => error))),
    { cacheKeyFn: ({ chart, number, pageSize }) => `${chartId(chart)}:${number}:${pageSize}` },
  );
}
