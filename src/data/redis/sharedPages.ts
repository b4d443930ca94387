import { randomUUID } from 'node:crypto';
import { ApiError, wasSent } from '../../domain/errors.ts';
import { type Page, type PageKey, pageId } from '../../domain/page.ts';
import type { Call, Source } from '../../domain/source.ts';
import type { FetchPage, PageWithOrigin, SharedLookup } from '../pages/pageCache.ts';
import type { CachedPage } from '../pages/pageStore.ts';
import { toTtlMs } from '../pages/storePage.ts';
import { toCallPause } from '../upstream/callPause.ts';
import { toCancellable } from '../upstream/cancellableCall.ts';
import { MAX_TTL_MS, REFUSED_TTL_MS } from '../upstream/withNegativeCache.ts';
import { decodeError, encodeError } from './errorRecord.ts';
import { createPageImporter, type PageImporterOptions, toSequence } from './pageImporter.ts';
import { encodeBody, type PageValue } from './pageValue.ts';
import type { ScriptReply } from './redisConnection.ts';
import { CHANGES_KEY, keyOfFailure, keyOfGeneration, keyOfLock, keyOfPage, keyOfVideo } from './redisKeys.ts';
import { createSharedLookup } from './sharedLookup.ts';

/** What sharing pages needs. */
interface SharedPagesOptions extends PageImporterOptions {
  /** Where a page comes from that no replica has cached. */
  readonly source: Source<PageKey, Page>;
  /** How long an expired page may still be served. */
  readonly staleMs: number;
  /** How long the first failure of a page is remembered. */
  readonly errorTtlMs: number;
  /** Deadline of one attempt: a replica that dies while it fetches a page keeps the others waiting no longer. */
  readonly attemptMs: number;
}

/** The pages of all replicas: what one of them fetched, the others can import. */
interface SharedPages extends SharedLookup {
  /** Gets a page that is not cached here: from Redis, or from the source on behalf of all replicas. */
  readonly fetchPage: FetchPage;
}

/** How often a replica asks whether a page has arrived that another replica fetches. */
const WAIT_MS = 40;
const MAX_LOCK_MS = 3000;
const MIN_LOCK_MS = 500;
/** How long refreshes are rejected, without asking Redis, after a call could not be sent. */
const REJECT_REFRESH_MS = 100;

/** Shares the pages of a store with the other replicas, while Redis is up. */
export function createSharedPages(options: SharedPagesOptions): SharedPages {
  const { redis, source, store, clock, staleMs, errorTtlMs, attemptMs } = options;
  const importer = createPageImporter(options);
  const { importValue, storeLocally, isFromFuture, importPages } = importer;
  const lookup = createSharedLookup(options, importer);
  const lockMs = Math.max(MIN_LOCK_MS, Math.min(attemptMs, MAX_LOCK_MS));
  /** Releases of locks that failed because Redis went down. Without them other replicas wait until the locks expire. */
  const pendingReleases: (() => Promise<unknown>)[] = [];
  /** Counts the uploads of all pages: a new one ends the one before. */
  let uploads = 0;
  /** The last call that was not sent, and until when refreshes are rejected with its error. */
  let rejection: { readonly error: ApiError; readonly until: number } | undefined;
  redis.onUp(() => {
    for (const release of pendingReleases.splice(0)) void release().catch(() => undefined);
    // Not awaited: there may be many pages.
    void uploadAll().catch(() => undefined);
  });

  /** Stores in Redis what it lost, or missed while it was down; imports what it has newer. */
  async function uploadAll(): Promise<void> {
    const upload = ++uploads;
    // The most recently used first.
    for (const page of store.all().reverse()) {
      if (!redis.isUp() || upload !== uploads) return;
      if (store.newestOfAnySize(page) !== page) continue;
      // One at a time, so that operations do not have to wait behind a queue of pages.
      const membership = { generation: page.generation, isReplacement: page.coversUntil === null };
      const freshUntil = toRedisTime(page.freshUntil);
      const [verdict, value] = await storeInRedis(page, page.sequence, '', freshUntil, membership);
      if (verdict === 'newer') importValue(value, page);
    }
  }

  async function fetchPage(key: PageKey, call: Call): Promise<PageWithOrigin> {
    // During an outage not every read of a stale page should ask Redis.
    if (call.background && rejection && clock.monotonic() < rejection.until) throw rejection.error;
    let origin: 'cached' | 'shared' = 'cached';
    let ignoresFailure = false;
    const cached = store.newestOfAnySize(key);
    let known = cached && !isFromFuture(cached) ? cached.sequence : 0;
    while (redis.isUp()) {
      const token = randomUUID();
      const [verdict, value] = await claim(key, known, token, origin === 'shared', ignoresFailure);
      if (verdict === 'page') {
        const page = importValue(value, key);
        if (page) return { page, origin };
        // The value cannot be read: fetch the page, which replaces it.
        known = Number.MAX_SAFE_INTEGER;
      } else if (verdict === 'failure') {
        const error = decodeError(String(value));
        if (error) throw error;
        ignoresFailure = true;
      } else if (verdict === 'granted') {
        const page = await fetchLocked(key, token, call);
        if (page) return { page, origin: 'fetched' };
      } else if (verdict === 'locked') {
        if (clock.monotonic() >= call.deadline()) throw new ApiError('UPSTREAM_TIMEOUT');
        call.signal?.throwIfAborted();
        origin = 'shared';
        known = Math.max(known, Number(value));
        await clock.sleep(WAIT_MS);
      }
    }
    return { page: await fetchAndShare(key, '', call), origin: 'fetched' };
  }

  /** Asks for the right to fetch a page; returns nothing when Redis went down. */
  async function claim(
    key: PageKey,
    known: number,
    token: string,
    hasWaited: boolean,
    ignoresFailure: boolean,
  ): Promise<readonly [string?, ...unknown[]]> {
    const keys = [keyOfPage(key), keyOfLock(key), keyOfFailure(key)];
    const args = [known, token, lockMs, MAX_LOCK_MS, hasWaited ? 1 : 0, ignoresFailure ? 1 : 0];
    const reply = await redis.run('claimPage', keys, args).catch(() => []);
    return toVerdict(reply);
  }

  /** Fetches a page under its lock. Undefined when the lock was lost before anything was sent. */
  async function fetchLocked(key: PageKey, token: string, call: Call): Promise<CachedPage | undefined> {
    const lost = new ApiError('UPSTREAM_UNAVAILABLE');
    const cancellable = toCancellable(call);
    const renewal = setInterval(() => {
      redis.run('renewLock', [keyOfLock(key)], [token, lockMs]).then(
        ([isHeld]) => {
          if (isHeld === 0) cancellable.cancel(lost);
        },
        () => undefined,
      );
    }, lockMs / 4);
    try {
      return await fetchAndShare(key, token, cancellable.call);
    } catch (error) {
      if (error === lost) return undefined;
      const isSent = wasSent(error);
      if (!isSent && error instanceof ApiError)
        rejection = { error, until: clock.monotonic() + REJECT_REFRESH_MS };
      const wasHeld = await releaseLock(key, token, isSent && error instanceof ApiError ? error : undefined);
      // Whoever took the lock over may have fetched the page meanwhile.
      if (!wasHeld) await importPages([key]).catch(() => undefined);
      const copy = wasHeld ? undefined : store.newestOfAnySize(key);
      if (!copy || !store.isFresh(copy)) throw error;
      return copy;
    } finally {
      clearInterval(renewal);
    }
  }

  /** Fetches a page, and stores it here and in Redis. */
  async function fetchAndShare(key: PageKey, token: string, call: Call): Promise<CachedPage> {
    let sequence = 0;
    const onSent = (): void => {
      // The moment of the request decides which page is newer: a response may be read long after it was written.
      sequence = toSequence(redis.now());
      call.onSent();
    };
    const page = await source(key, { ...call, onSent });
    if (!redis.isUp()) return storeLocally(page);
    try {
      const freshUntil = redis.now() + toTtlMs(options);
      const [verdict, ...reply] = await storeInRedis(page, sequence, token, freshUntil);
      if (verdict === 'newer') return importValue(reply[0], page) ?? storeLocally(page);
      const [generation, storedUntil, replaces] = reply.map(Number);
      const value = { page, sequence, generation, freshUntil: storedUntil, replaces: replaces === 1 };
      return importer.storeValue(value as PageValue);
    } catch {
      return storeLocally(page);
    }
  }

  /**
   * Stores a page in Redis, unless a newer copy is there.
   *
   * @param membership The generation of a page that is not new. A new one joins the fresh generation, or begins one.
   */
  async function storeInRedis(
    page: Page,
    sequence: number,
    token: string,
    freshUntil: number,
    membership?: { readonly generation: number; readonly isReplacement: boolean },
  ): Promise<readonly [string?, ...unknown[]]> {
    const videos = page.rows.flatMap((row) => (row ? [keyOfVideo(row.itemId)] : []));
    const keys = [
      keyOfPage(page),
      keyOfGeneration(page.chart),
      keyOfLock(page),
      keyOfFailure(page),
      CHANGES_KEY,
      ...videos,
    ];
    const reply = await redis.run('storeSharedPage', keys, [
      Math.min(sequence, toSequence(redis.now())),
      Math.round(freshUntil),
      staleMs,
      options.ttlMs,
      token,
      pageId(page),
      redis.replica,
      encodeBody(page),
      membership?.generation ?? '',
      membership?.isReplacement ? 1 : 0,
    ]);
    return toVerdict(reply);
  }

  /**
   * Lets other replicas fetch the page: after a while, if the error is about this page. False when the lock was lost.
   */
  async function releaseLock(key: PageKey, token: string, error: ApiError | undefined): Promise<boolean> {
    const isAboutPage = error !== undefined && !toCallPause(error);
    const isRefused = error?.code === 'BAD_USER_INPUT';
    const firstMs = isRefused ? REFUSED_TTL_MS : errorTtlMs;
    const args = [
      token,
      error ? encodeError(error) : '',
      isAboutPage ? firstMs : 0,
      Math.max(firstMs, MAX_TTL_MS),
      isRefused ? 1 : 0,
    ];
    const release = () => redis.run('releaseLock', [keyOfLock(key), keyOfFailure(key), keyOfPage(key)], args);
    const [wasHeld] = await release().catch(() => {
      pendingReleases.push(release);
      return [1];
    });
    return wasHeld === 1;
  }

  function toRedisTime(monotonic: number): number {
    return monotonic - clock.monotonic() + redis.now();
  }

  return { ...lookup, fetchPage };
}

/** A script's reply that begins with a word. */
function toVerdict([word, ...rest]: ScriptReply): readonly [string?, ...unknown[]] {
  return word === undefined ? [] : [String(word), ...rest];
}
