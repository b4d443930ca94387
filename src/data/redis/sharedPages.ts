import { randomUUID } from 'node:crypto';
import { chartId } from '../../domain/chart.ts';
import { ApiError } from '../../domain/errors.ts';
import { type FetchOptions, type Page, type PageKey, type PageSource, pageId } from '../../domain/page.ts';
import { toLife } from '../pages/storePage.ts';
import type { FetchPage, ReadPage, SharedLookup } from '../pages/pageCache.ts';
import type { HeldPage } from '../pages/pageStore.ts';
import { secondsRefused } from '../upstream/accountRefusal.ts';
import { watchSending } from '../upstream/watchSending.ts';
import { MAX_TTL_MS, REFUSED_TTL_MS } from '../upstream/withNegativeCache.ts';
import { type AdoptionOptions, createAdoption, toOrder } from './pageImporter.ts';
import { decodeError, encodeError } from './errorRecord.ts';
import { failureName, lockName, pageName, videoName } from './redisKeys.ts';
import { encodeBody, type PageValue } from './pageValue.ts';
import type { ScriptReply } from './redisConnection.ts';
import { createSharedLookup } from './sharedLookup.ts';

/** What sharing pages needs. */
export interface SharedPagesOptions extends AdoptionOptions {
  /** Where a page comes from that nobody holds. */
  readonly source: PageSource;
  /** How long a page may be used past its time to live. */
  readonly staleMs: number;
  /** How long the first failure of a page is remembered. */
  readonly errorTtlMs: number;
  /** Deadline of one attempt: a replica that dies while it fetches a page keeps the others waiting no longer. */
  readonly attemptMs: number;
}

/**
 * The pages that all replicas hold together: what one of them fetched, the others have.
 */
export interface SharedPages extends SharedLookup {
  /** Gets a page that is not held: from Redis, or from the source for all replicas. */
  readonly fetchPage: FetchPage;
}

/** How often a replica asks whether a page that another one fetches has come. */
const WAIT_MS = 40;
const MAX_LOCK_MS = 3000;
const MIN_LOCK_MS = 500;
const REFUSAL_MS = 100;

/** Shares the pages of a store with the other replicas, for as long as Redis is there. */
export function createSharedPages(options: SharedPagesOptions): SharedPages {
  const { link, source, store, clock, staleMs, errorTtlMs, attemptMs } = options;
  const adoption = createAdoption(options);
  const { adoptValue, admitAlone, newest, isFresh, isFromFuture, adoptFromRedis } = adoption;
  const lookup = createSharedLookup(options, adoption);
  const lockMs = Math.max(MIN_LOCK_MS, Math.min(attemptMs, MAX_LOCK_MS));
  /** Locks that could not be given up because Redis went away: others would wait for the rest of their lives. */
  const untold: (() => Promise<unknown>)[] = [];
  /** Counts how often all pages were shared: a new round ends the one before. */
  let rounds = 0;
  /** The last call that was not made because none may be, and until when refreshes do not ask again. */
  let refusal: { readonly error: ApiError; readonly until: number } | undefined;
  link.onUp(() => {
    for (const tell of untold.splice(0)) void tell().catch(() => undefined);
    // In its own time: it may be much.
    void shareAll().catch(() => undefined);
  });

  /** Gives Redis what it may have lost, or not have got while it was away; takes what it has newer. */
  async function shareAll(): Promise<void> {
    const round = ++rounds;
    // What was used last is wanted first.
    for (const page of store.all().reverse()) {
      if (!link.isUp() || round !== rounds) return;
      if (newest(page) !== page) continue;
      // One at a time, so that operations do not have to wait behind a heap of pages.
      const life = { generation: page.generation, isReplacement: page.coversUntil === null };
      const [verdict, value] = await storePage(page, page.order, '', toShared(page.freshUntil), life);
      if (verdict === 'newer') adoptValue(value, page);
    }
  }

  async function fetchPage(key: PageKey, fetchOptions: FetchOptions): Promise<ReadPage> {
    // An outage must not send each read of a stale page to Redis.
    if (fetchOptions.background && refusal && clock.monotonic() < refusal.until) throw refusal.error;
    let origin: 'cached' | 'shared' = 'cached';
    let isFailureMinded = true;
    const held = newest(key);
    let known = held && !isFromFuture(held) ? held.order : 0;
    while (link.isUp()) {
      const token = randomUUID();
      const [answer, value] = await claim(key, known, token, origin === 'shared', isFailureMinded);
      if (answer === 'page') {
        const page = adoptValue(value, key);
        if (page) return { page, origin };
        // One that cannot be read is replaced.
        known = Number.MAX_SAFE_INTEGER;
      } else if (answer === 'failure') {
        const error = decodeError(String(value));
        if (error) throw error;
        isFailureMinded = false;
      } else if (answer === 'granted') {
        const page = await fetchLocked(key, token, fetchOptions);
        if (page) return { page, origin: 'fetched' };
      } else if (answer === 'locked') {
        if (clock.monotonic() >= fetchOptions.deadline()) throw new ApiError('UPSTREAM_TIMEOUT');
        fetchOptions.check();
        origin = 'shared';
        known = Math.max(known, Number(value));
        await clock.sleep(WAIT_MS);
      }
    }
    return { page: await fetchAndShare(key, '', fetchOptions), origin: 'fetched' };
  }

  /** Asks for the right to fetch a page; nothing when Redis has gone meanwhile. */
  async function claim(
    key: PageKey,
    known: number,
    token: string,
    hasWaited: boolean,
    isFailureMinded: boolean,
  ): Promise<readonly [string?, ...unknown[]]> {
    const keys = [pageName(key), lockName(key), failureName(key)];
    const args = [known, token, lockMs, MAX_LOCK_MS, hasWaited ? 1 : 0, isFailureMinded ? 0 : 1];
    const reply = await link.run('claim', keys, args).catch(() => []);
    return toAnswer(reply);
  }

  /** Fetches a page while no other replica does. Undefined when the lock was lost before anything was sent. */
  async function fetchLocked(
    key: PageKey,
    token: string,
    fetchOptions: FetchOptions,
  ): Promise<HeldPage | undefined> {
    const lost = new ApiError('UPSTREAM_UNAVAILABLE');
    let isLost = false;
    const renewal = setInterval(() => {
      link.run('renew', [lockName(key)], [token, lockMs]).then(
        ([isHeld]) => {
          isLost ||= isHeld === 0;
        },
        () => undefined,
      );
    }, lockMs / 4);
    const check = (): void => {
      fetchOptions.check();
      if (isLost) throw lost;
    };
    const { watched, isSent } = watchSending({ ...fetchOptions, check });
    try {
      return await fetchAndShare(key, token, watched);
    } catch (error) {
      if (error === lost) return undefined;
      if (!isSent() && error instanceof ApiError) refusal = { error, until: clock.monotonic() + REFUSAL_MS };
      const wasHeld = await giveUp(key, token, isSent() && error instanceof ApiError ? error : undefined);
      // Whoever took the lock over may have fetched the page meanwhile.
      if (!wasHeld) await adoptFromRedis([key]).catch(() => undefined);
      const copy = wasHeld ? undefined : newest(key);
      if (!copy || !isFresh(copy)) throw error;
      return copy;
    } finally {
      clearInterval(renewal);
    }
  }

  /** Fetches a page, takes it in, and gives it to the other replicas. */
  async function fetchAndShare(key: PageKey, token: string, fetchOptions: FetchOptions): Promise<HeldPage> {
    let order = 0;
    const onRequest = (): void => {
      // Its place in time is when it was asked for: an answer may lie for long before it is read.
      order = toOrder(link.now());
      fetchOptions.onRequest();
    };
    const page = await source(key, { ...fetchOptions, onRequest });
    if (!link.isUp()) return admitAlone(page);
    try {
      const [verdict, ...reply] = await storePage(page, order, token, link.now() + toLife(options));
      if (verdict === 'newer') return adoptValue(reply[0], page) ?? admitAlone(page);
      const [generation, freshUntil, replaces] = reply.map(Number);
      return adoption.hold({ page, order, generation, freshUntil, replaces: replaces === 1 } as PageValue);
    } catch {
      return admitAlone(page);
    }
  }

  /** @param life What is known of a page that is not new; a new one joins the generation that is fresh, or begins one. */
  async function storePage(
    page: Page,
    order: number,
    token: string,
    freshUntil: number,
    life?: { readonly generation: number; readonly isReplacement: boolean },
  ): Promise<readonly [string?, ...unknown[]]> {
    const generationName = `generation:${chartId(page.chart)}`;
    const videos = page.rows.flatMap((row) => (row ? [videoName(row.itemId)] : []));
    const keys = [pageName(page), generationName, lockName(page), failureName(page), 'changes', ...videos];
    const reply = await link.run('store', keys, [
      Math.min(order, toOrder(link.now())),
      Math.round(freshUntil),
      staleMs,
      options.ttlMs,
      token,
      pageId(page),
      link.replica,
      encodeBody(page),
      life?.generation ?? '',
      life?.isReplacement ? 1 : 0,
    ]);
    return toAnswer(reply);
  }

  /** Lets others try; with an error that is about the page, only after a while. False when the lock was lost. */
  async function giveUp(key: PageKey, token: string, error: ApiError | undefined): Promise<boolean> {
    const isAboutPage = error !== undefined && secondsRefused(error) === undefined;
    const isRefused = error?.code === 'BAD_USER_INPUT';
    const firstMs = isRefused ? REFUSED_TTL_MS : errorTtlMs;
    const args = [
      token,
      error ? encodeError(error) : '',
      isAboutPage ? firstMs : 0,
      Math.max(firstMs, MAX_TTL_MS),
      isRefused ? 1 : 0,
    ];
    const tell = () => link.run('giveUp', [lockName(key), failureName(key), pageName(key)], args);
    const [wasHeld] = await tell().catch(() => {
      untold.push(tell);
      return [1];
    });
    return wasHeld === 1;
  }

  function toShared(monotonic: number): number {
    return monotonic - clock.monotonic() + link.now();
  }

  return { ...lookup, fetchPage };
}

/** A script's reply that begins with a word. */
function toAnswer([word, ...rest]: ScriptReply): readonly [string?, ...unknown[]] {
  return word === undefined ? [] : [String(word), ...rest];
}
