import pTimeout from 'p-timeout';
import { sourceId } from '../config/sourceId.ts';
import { createCacheFile } from '../data/pages/cacheFile.ts';
import { type FetchPage, PageCache } from '../data/pages/pageCache.ts';
import { PageStore } from '../data/pages/pageStore.ts';
import { storePage } from '../data/pages/storePage.ts';
import type { RedisConnection } from '../data/redis/redisConnection.ts';
import { createSharedPages } from '../data/redis/sharedPages.ts';
import type { ReadPage } from '../data/windows/operationPages.ts';
import type { Page, PageKey } from '../domain/page.ts';
import type { Source } from '../domain/source.ts';
import type { Tracing } from '../observe/tracing/createTracing.ts';
import type { AppContext } from './appContext.ts';

/** Dependencies of the page cache. */
interface PagesOptions {
  readonly store: PageStore;
  /** Where a page comes from that is not cached. */
  readonly source: Source<PageKey, Page>;
  readonly redis: RedisConnection | undefined;
  readonly tracing: Tracing | undefined;
}

/** The cached pages of the process. */
export interface Pages {
  readonly cache: PageCache;
  /** Reads a page that may have to be waited for, with a span; undefined without tracing. */
  readonly readPage: ReadPage | undefined;
  /** Waits for pages in flight, and writes the cache file. */
  close(): Promise<void>;
}

/** How long closing waits for pages in flight, in milliseconds. */
export const SETTLE_MS = 3000;

/** Creates the store of pages. */
export function createStore({ config, clock }: AppContext): PageStore {
  const { staleMs, pageBytes } = config.cache;
  return new PageStore({ clock, staleMs, maxBytes: pageBytes });
}

/** Creates the page cache: in memory, filled from the cache file, over Redis if there is one, over its source. */
export async function createPages(context: AppContext, options: PagesOptions): Promise<Pages> {
  const { config, clock, random, onEvent } = context;
  const { store, source, redis, tracing } = options;
  const { file, ttlMs, staleMs, errorTtlMs } = config.cache;
  const cacheFile = file
    ? createCacheFile({ file, sourceId: sourceId(config), store, ttlMs, clock, onEvent })
    : undefined;
  await cacheFile?.read();
  const storing = { store, clock, random, ttlMs };
  const attemptMs = config.keyapi.timeoutMs;
  const shared =
    redis && createSharedPages({ ...storing, redis, source, staleMs, errorTtlMs, attemptMs, onEvent });
  const fetchUnshared: FetchPage = async (key, call) => ({
    // Numbered as with Redis: a replica may read this cache file later.
    page: storePage(await source(key, call), storing, Math.round(clock.now() * 1000)),
    origin: 'fetched',
  });
  const cache = new PageCache({
    fetchPage: shared?.fetchPage ?? fetchUnshared,
    sharedLookup: shared,
    store,
    clock,
    ttlMs,
    refreshTimeoutMs: config.operationTimeoutMs,
  });

  async function close(): Promise<void> {
    // Pages in flight are paid for: worth waiting for, if they survive the process.
    if (cacheFile || redis) await pTimeout(cache.settle(), { milliseconds: SETTLE_MS, message: false });
    await cacheFile?.write();
  }
  return {
    cache,
    readPage: tracing?.withPageSpans((...args) => cache.fetch(...args)),
    close,
  };
}
