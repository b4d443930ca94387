import { type FetchPage, PageCache } from '../data/pages/pageCache.ts';
import { PageStore } from '../data/pages/pageStore.ts';
import { type OnFetched, storePage } from '../data/pages/storePage.ts';
import { withEmptyPageCheck } from '../data/pages/withEmptyPageCheck.ts';
import { createSharedPages } from '../data/redis/sharedPages.ts';
import { withNegativeCache } from '../data/upstream/withNegativeCache.ts';
import type { ReadPage } from '../data/windows/operationPages.ts';
import type { Page, PageKey } from '../domain/page.ts';
import type { Source } from '../domain/source.ts';
import { trendingVideos } from '../keyapi/endpoints/trendingVideos.ts';
import type { Tracing } from '../observe/tracing/createTracing.ts';
import type { AppContext } from './appContext.ts';
import type { Upstream } from './keyapi.ts';
import type { Redis } from './redis.ts';
import type { UpstreamLayers } from './upstreamLayers.ts';

/** Dependencies of the source of pages. */
interface PageSourceOptions {
  readonly upstream: Upstream;
  readonly layers: UpstreamLayers;
  readonly store: PageStore;
}

/** Dependencies of the page cache. */
interface PagesOptions {
  readonly store: PageStore;
  /** Where a page comes from that is not cached. */
  readonly source: Source<PageKey, Page>;
  /** Whether calls are stopped. */
  readonly isStopped: () => boolean;
  /** Undefined without Redis. */
  readonly redis: Redis | undefined;
  readonly onFetched: OnFetched;
  readonly tracing: Tracing | undefined;
}

/** The cached pages of the process. */
export interface Pages {
  readonly cache: PageCache;
  /** Reads a page that may have to be waited for, with a span; undefined without tracing. */
  readonly readPage: ReadPage | undefined;
}

/** Creates the store of pages. */
export function createPageStore({ config, clock }: AppContext): PageStore {
  const { staleMs, pageBytes } = config.cache;
  return new PageStore({ clock, staleMs, maxBytes: pageBytes });
}

/** Creates the source of pages that are not cached: KeyAPI's client, with the layers around it. */
export function createPageSource(
  { config, clock, onEvent }: AppContext,
  { upstream, layers, store }: PageSourceOptions,
): Source<PageKey, Page> {
  // Innermost, so that the other layers treat an empty page in place of rows like any failure.
  const client = withEmptyPageCheck(upstream.source(trendingVideos), { store, onEvent });
  return withNegativeCache(layers.wrap(client, trendingVideos), trendingVideos, { ...config.cache, clock });
}

/** Creates the page cache: memory first, then Redis if it is configured, then the source. */
export function createPages(context: AppContext, options: PagesOptions): Pages {
  const { config, clock, random, onEvent } = context;
  const { store, source, isStopped, redis, onFetched, tracing } = options;
  const { ttlMs, staleMs, errorTtlMs } = config.cache;
  const storing = { store, clock, random, ttlMs };
  const attemptMs = config.keyapi.timeoutMs;
  const sharing = { source, staleMs, errorTtlMs, attemptMs, onFetched, onEvent };
  const shared = redis && createSharedPages({ ...storing, ...sharing, redis, changeFeed: redis.changeFeed });
  const fetchUnshared: FetchPage = async (key, call) => {
    // The sequence numbers have the same form as with Redis: a replica may read this cache file later.
    const page = storePage(await source(key, call), storing, Math.round(clock.now() * 1000));
    onFetched(page, page.sequence);
    return { page, origin: 'fetched' };
  };
  const cache = new PageCache({
    fetchPage: shared?.fetchPage ?? fetchUnshared,
    sharedLookup: shared,
    isStopped,
    store,
    clock,
    ttlMs,
    refreshTimeoutMs: config.operationTimeoutMs,
  });
  return {
    cache,
    readPage: tracing?.withPageSpans((...args) => cache.fetch(...args)),
  };
}
