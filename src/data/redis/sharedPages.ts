import { randomUUID } from 'node:crypto';
import { ApiError } from '../../domain/errors.ts';
import {
  type CachedPage,
  lacksRows,
  type Page,
  type PageKey,
  pageEndpoint,
  toRetentionMs,
} from '../../domain/page.ts';
import { type Call, type Source, withSignal } from '../../domain/source.ts';
import type { OnDataEvent } from '../events.ts';
import { reportEmptyPage } from '../pages/emptyPage.ts';
import type { FetchPage, PageWithOrigin, SharedLookup } from '../pages/pageCache.ts';
import { type OnFetched, toTtlMs } from '../pages/storePage.ts';
import { longestNegativeTtl, toNegativeTtl } from '../upstream/negativeTtl.ts';
import { createLockReleases, keepLocks, MAX_LOCK_MS, toLockMs, WAIT_MS } from './locks.ts';
import { createPageImporter, toSequence } from './pageImporter.ts';
import { encodeBody } from './pageValue.ts';
import { createRefreshRejection } from './refreshRejection.ts';
import { claimPage } from './scripts/claimPage.ts';
import { keyOfLock } from './scripts/redisKeys.ts';
import { releaseLock } from './scripts/releaseLock.ts';
import { type SharedCopy, storeSharedPage } from './scripts/storeSharedPage.ts';
import { createSharedLookup, type SharedLookupOptions } from './sharedLookup.ts';
import { uploadOnUp } from './uploads.ts';

/** What sharing pages needs. */
interface SharedPagesOptions extends SharedLookupOptions {
  /** Where a page comes from that no replica has cached. */
  readonly source: Source<PageKey, Page>;
  /** How long an expired page may still be served. */
  readonly staleMs: number;
  /** How long the first failure of a page is remembered. */
  readonly errorTtlMs: number;
  /** Deadline of one attempt: a replica that dies while it fetches a page keeps the others waiting no longer. */
  readonly attemptMs: number;
  readonly onFetched: OnFetched;
  readonly onEvent: OnDataEvent;
}

/** The pages of all replicas: what one of them fetched, the others can import. */
interface SharedPages extends SharedLookup {
  /** Gets a page that is not cached here: from Redis, or from the source on behalf of all replicas. */
  readonly fetchPage: FetchPage;
}

/** Shares the pages of a store with the other replicas, while Redis is up. */
export function createSharedPages(options: SharedPagesOptions): SharedPages {
  const { redis, source, store, clock, staleMs, attemptMs, onFetched, onEvent } = options;
  const importer = createPageImporter(options);
  const { importValue, storeLocally, isFromFuture, importPages } = importer;
  const lookup = createSharedLookup(options, importer);
  const lockMs = toLockMs(attemptMs);
  const runRelease = createLockReleases(redis);
  const rejection = createRefreshRejection(clock);
  uploadOnUp(redis, function* () {
    // The most recently used first.
    for (const page of store.all().reverse()) {
      // An empty page might replace rows that another replica has.
      if (store.newest(page) === page && !lacksRows(page)) yield () => upload(page);
    }
  });

  /** Stores a page in Redis, or imports it if Redis has a newer one. */
  async function upload(page: CachedPage): Promise<void> {
    const membership = { generation: page.generation, isReplacement: page.coversUntil === null };
    const { sequence, freshUntil } = page;
    const stored = await storeInRedis({ page, sequence, freshUntil: toRedisTime(freshUntil), membership });
    if (stored.type === 'newer' && stored.value) importValue(stored.value, page);
  }

  async function fetchPage(key: PageKey, call: Call): Promise<PageWithOrigin> {
    const rejected = call.background ? rejection.current() : undefined;
    if (rejected) throw rejected;
    let origin: 'cached' | 'shared' = 'cached';
    let ignoresFailure = false;
    const cached = store.newest(key);
    // Rows take precedence over a page that lacks them, however new it is.
    let known = cached && !isFromFuture(cached) && !lacksRows(cached) ? cached.sequence : 0;
    while (redis.isUp()) {
      const token = randomUUID();
      // Undefined when Redis went down.
      const claim = await claimPage(redis.run, {
        page: key,
        knownSequence: known,
        token,
        lockMs,
        maxLockMs: MAX_LOCK_MS,
        maxFailureMs: longestNegativeTtl(options),
        hasWaited: origin === 'shared',
        ignoresFailure,
      }).catch(() => undefined);
      if (claim?.type === 'page') {
        const page = importValue(claim.value, key);
        if (page) return { page, origin };
        // The value cannot be read: fetch the page, which replaces it.
        known = Number.MAX_SAFE_INTEGER;
      } else if (claim?.type === 'failure') {
        if (claim.error) throw claim.error;
        ignoresFailure = true;
      } else if (claim?.type === 'granted') {
        const page = await fetchLocked(key, token, call);
        if (page) return { page, origin: 'fetched' };
      } else if (claim?.type === 'locked') {
        if (clock.monotonic() >= call.deadline()) throw new ApiError('UPSTREAM_TIMEOUT');
        call.signal?.throwIfAborted();
        origin = 'shared';
        known = Math.max(known, claim.sequence);
        await clock.sleep(WAIT_MS);
      }
    }
    return { page: await fetchAndShare(key, undefined, call), origin: 'fetched' };
  }

  /** Fetches a page under its lock. Undefined when the lock was lost before anything was sent. */
  async function fetchLocked(key: PageKey, token: string, call: Call): Promise<CachedPage | undefined> {
    const { signal, lost, stop } = keepLocks(redis, { locks: [keyOfLock(key)], token, lockMs });
    try {
      const page = await fetchAndShare(key, token, withSignal(call, signal));
      // The lock is released only now that no cached rows contradict the page.
      if (lacksRows(page)) await giveUpLock(key, token, undefined);
      return page;
    } catch (error) {
      if (error === lost) return undefined;
      const known = error instanceof ApiError ? error : undefined;
      if (known && !known.isCallFailure) rejection.record(known);
      const wasHeld = await giveUpLock(key, token, known);
      // Whoever took the lock over may have fetched the page meanwhile.
      if (!wasHeld) await importPages([key]).catch(() => undefined);
      const copy = wasHeld ? undefined : store.newest(key);
      if (!copy || !store.isFresh(copy)) throw error;
      return copy;
    } finally {
      stop();
    }
  }

  /** Fetches a page, and stores it here and in Redis. */
  async function fetchAndShare(key: PageKey, token: string | undefined, call: Call): Promise<CachedPage> {
    let sequence = 0;
    const onSent = (): void => {
      // The moment of the request decides which page is newer: a response may be read long after it was written.
      sequence = toSequence(redis.now());
      call.onSent();
    };
    const page = await source(key, { ...call, onSent });
    onFetched(page, sequence);
    if (!redis.isUp()) return storeLocally(page);
    if (lacksRows(page)) await compareWithRedis(page);
    try {
      const freshUntil = redis.now() + toTtlMs(page, options);
      const stored = await storeInRedis({
        page,
        sequence,
        freshUntil,
        token: lacksRows(page) ? undefined : token,
      });
      if (stored.type === 'contradicted' || store.contradicts(page)) throw reportEmptyPage(page, onEvent);
      if (stored.type === 'stored') return importer.storeValue({ ...stored, page, sequence });
      const newer = stored.type === 'newer' && stored.value ? importValue(stored.value, page) : undefined;
      return newer ?? storeLocally(page);
    } catch (error) {
      if (error instanceof ApiError) throw error;
      return storeLocally(page);
    }
  }

  /** Rejects an empty page that contradicts what any replica has cached: this one may not know of it yet. */
  async function compareWithRedis(page: Page): Promise<void> {
    await lookup.importChart(page.chart).catch(() => undefined);
    if (store.contradicts(page)) throw reportEmptyPage(page, onEvent);
  }

  /** Stores a page in Redis, unless a newer copy is there. */
  async function storeInRedis(copy: Omit<SharedCopy, 'body'>): ReturnType<typeof storeSharedPage> {
    const body = encodeBody(copy.page);
    const sequence = Math.min(copy.sequence, toSequence(redis.now()));
    // Longer than it may be served, so that the next empty page is the second in a row.
    const retentionMs = toRetentionMs(copy.page, staleMs);
    const common = { staleMs: retentionMs, ttlMs: options.ttlMs, replica: redis.replica };
    return storeSharedPage(redis.run, { ...copy, body, sequence }, common);
  }

  /**
   * Lets other replicas fetch the page: after a while, if the error is about this page. False when the lock was lost.
   */
  async function giveUpLock(key: PageKey, token: string, error: ApiError | undefined): Promise<boolean> {
    const ttl = error && toNegativeTtl(error, pageEndpoint, options);
    const failure = ttl && { error, ...ttl, isRefused: error.code === 'BAD_USER_INPUT' };
    return runRelease(() => releaseLock(redis.run, { page: key, token, failure }), true);
  }

  function toRedisTime(monotonic: number): number {
    return monotonic - clock.monotonic() + redis.now();
  }

  return { ...lookup, fetchPage };
}
