import { randomUUID } from 'node:crypto';
import DataLoader from 'dataloader';
import { type Chart, chartId } from '../../domain/chart.ts';
import { ApiError } from '../../domain/errors.ts';
import {
  type FetchOptions,
  FULL_CHART,
  PAGE_SIZE,
  type Page,
  type PageKey,
  type PageSource,
  pageId,
} from '../../domain/page.ts';
import { type AdmissionOptions, admitPage, toCoversUntil, toLife } from '../admitPage.ts';
import type { ChartLookup, FetchPage, ReadPage } from '../pageCache.ts';
import type { HeldPage } from '../pageStore.ts';
import { secondsRefused } from '../resilience/accountRefusal.ts';
import { watchSending } from '../resilience/watchSending.ts';
import { MAX_TTL_MS, REFUSED_TTL_MS } from '../resilience/withFailureMemory.ts';
import { decodeError, encodeError } from './errorRecord.ts';
import { decodeValue, encodeBody, type PageValue } from './pageValue.ts';
import type { RedisLink, RunScript, ScriptReply } from './redisLink.ts';

/** What sharing pages needs. */
export interface SharedPagesOptions extends AdmissionOptions {
  readonly link: RedisLink;
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
 * The pages that all replicas hold together: what one of them fetched, the others have. A chart that an operation
 * reads for the first time is looked up in Redis, all its pages at once, and from then on this process's store is kept
 * up with what the others fetch, within a second.
 */
export interface SharedPages extends ChartLookup {
  /**
   * Brings the pages of the chart that are not held fresh into the store, unless that was done within the last second;
   * what is asked for in one tick is read by one `MGET`. Resolves with whether any came.
   */
  look(chart: Chart): Promise<boolean>;
  /** Gets a page that is not held: from Redis, or from the source for all replicas. */
  readonly fetchPage: FetchPage;
}

/** How often a replica asks whether a page that another one fetches has come. */
const WAIT_MS = 40;
const MAX_LOCK_MS = 3000;
const MIN_LOCK_MS = 500;
const LOOK_MS = 1000;
const REFUSAL_MS = 100;
/** More than a full chart has, for pages that are smaller than usual. */
const MAX_PAGES = 50;

interface Seen {
  readonly chart: Chart;
  /** On the monotonic clock; undefined when Redis was away since. */
  lookedAt: number | undefined;
}

/** Shares the pages of a store with the other replicas, for as long as Redis is there. */
export function createSharedPages(options: SharedPagesOptions): SharedPages {
  const { link, source, store, clock, staleMs, errorTtlMs, attemptMs } = options;
  const lockMs = Math.max(MIN_LOCK_MS, Math.min(attemptMs, MAX_LOCK_MS));
  /** Charts that were looked up, by id. */
  const seen = new Map<string, Seen>();
  /** Charts that are being looked up. */
  const looking = new Map<string, Promise<boolean>>();
  /** Locks that could not be given up because Redis went away: others would wait for the rest of their lives. */
  const untold: (() => Promise<unknown>)[] = [];
  let lastChange = '';
  /** Counts how often all pages were shared: a new round ends the one before. */
  let rounds = 0;
  /** The last call that was not made because none may be, and until when refreshes do not ask again. */
  let refusal: { readonly error: ApiError; readonly until: number } | undefined;
  link.onBeat(async (run, isFirst) => {
    if (isFirst) {
      for (const entry of seen.values()) entry.lookedAt = undefined;
      lastChange = '';
    }
    await follow(run);
  });
  link.onUp(() => {
    for (const tell of untold.splice(0)) void tell().catch(() => undefined);
    // In its own time: it may be much.
    void shareAll().catch(() => undefined);
  });

  const looks = new DataLoader<Chart, boolean>((charts) => lookAll(charts), { cache: false });

  async function look(chart: Chart): Promise<boolean> {
    const id = chartId(chart);
    const lookedAt = seen.get(id)?.lookedAt ?? Number.NEGATIVE_INFINITY;
    if (!link.isUp() || clock.monotonic() < lookedAt + LOOK_MS) return false;
    const lookup =
      looking.get(id) ??
      looks
        .load(chart)
        .catch(() => false)
        .finally(() => looking.delete(id));
    looking.set(id, lookup);
    return lookup;
  }

  async function lookAll(charts: readonly Chart[]): Promise<boolean[]> {
    const wanted = charts.map((chart) => pagesWanted(chart));
    // Known before they are read: what is stored meanwhile is then among the changes.
    const entries = charts.map((chart) => seen.get(chartId(chart)) ?? { chart, lookedAt: undefined });
    for (const entry of entries) seen.set(chartId(entry.chart), entry);
    const found = new Set(await readPages(wanted.flat()));
    for (const entry of entries) entry.lookedAt = clock.monotonic();
    return wanted.map((keys) => keys.some((key) => found.has(key)));
  }

  /** The pages that the chart may have and that are not held fresh. */
  function pagesWanted(chart: Chart): PageKey[] {
    const copies = store.copies(chart);
    const fresh = new Set(copies.filter(isFresh).map(({ number }) => number));
    const { totalCount, pageSize } = copies[0] ?? { totalCount: FULL_CHART, pageSize: PAGE_SIZE };
    const count = Math.min(Math.max(FULL_CHART / PAGE_SIZE, Math.ceil(totalCount / pageSize)), MAX_PAGES);
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    return numbers.filter((number) => !fresh.has(number)).map((number) => ({ chart, number, pageSize }));
  }

  /** Brings those of these pages into the store that Redis has; gives their keys. */
  async function readPages(keys: readonly PageKey[]): Promise<PageKey[]> {
    if (keys.length === 0) return [];
    const values = await link.read(keys.map(pageName));
    return keys.filter((key, index) => {
      const value = values[index];
      const decoded = value ? decodeValue(value, key) : undefined;
      return decoded && adopt(decoded);
    });
  }

  /** Takes in what the other replicas fetched of the charts that were looked up. */
  async function follow(run: RunScript): Promise<void> {
    const [last, ...changes] = await run('changes', ['changes'], [lastChange]);
    if (String(last) === lastChange) return;
    const keys = new Map<string, PageKey>();
    for (let index = 0; index < changes.length; index += 2) {
      const id = String(changes[index]);
      const chart = seen.get(id.slice(0, id.lastIndexOf(':')))?.chart;
      const number = Number(id.slice(id.lastIndexOf(':') + 1));
      const isOurs = String(changes[index + 1]) === link.replica;
      if (chart && !isOurs) keys.set(id, { chart, number, pageSize: PAGE_SIZE });
    }
    await readPages([...keys.values()]);
    const isFollowing = lastChange !== '';
    lastChange = String(last);
    // There may be more.
    if (isFollowing) await follow(run);
  }

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
      if (!wasHeld) await readPages([key]).catch(() => undefined);
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
      return hold({ page, order, generation, freshUntil, replaces: replaces === 1 } as PageValue);
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
    const keys = [pageName(page), generationName, lockName(page), failureName(page), 'changes'];
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

  function adoptValue(value: unknown, key: Pick<PageKey, 'chart' | 'number'>): HeldPage | undefined {
    const decoded = value instanceof Buffer ? decodeValue(value, key) : undefined;
    return decoded && (adopt(decoded) ?? newest(key));
  }

  /** Takes in a page of Redis's; undefined when the copy that is held is no older, or when it is of a time to come. */
  function adopt(value: PageValue): HeldPage | undefined {
    const { page, order } = value;
    const copy = newest(page);
    if (isFromFuture(value)) return undefined;
    return copy && copy.order >= order && !isFromFuture(copy) ? undefined : hold(value);
  }

  function hold({ page, order, generation, freshUntil, replaces }: PageValue): HeldPage {
    const now = clock.monotonic();
    const ageMs = Math.max(0, clock.now() - page.fetchedAt);
    const isReplacement = replaces || newest(page)?.generation === generation;
    const held = {
      ...page,
      fetchedAt: Math.min(page.fetchedAt, clock.now()),
      order,
      generation,
      freshUntil: now + Math.min(freshUntil - link.now(), options.ttlMs),
      coversUntil: isReplacement ? null : toCoversUntil(page, now - ageMs),
    };
    if (store.copies(page.chart).some((copy) => copy.number === page.number && isFromFuture(copy)))
      store.forget(page);
    store.add(held);
    return held;
  }

  function admitAlone(page: Page): HeldPage {
    return admitPage(page, options, toOrder(link.now()));
  }

  function newest({ chart, number }: Pick<PageKey, 'chart' | 'number'>): HeldPage | undefined {
    return store.copies(chart).find((copy) => copy.number === number);
  }

  function isFresh({ freshUntil }: HeldPage): boolean {
    return clock.monotonic() < freshUntil;
  }

  /** Taken in by a clock that was ahead, before Redis's was known; or a number that is none of ours. */
  function isFromFuture({ order }: Pick<HeldPage, 'order'>): boolean {
    return order > toOrder(link.now() + LOOK_MS);
  }

  function toShared(monotonic: number): number {
    return monotonic - clock.monotonic() + link.now();
  }

  return {
    isUnseen: (chart) => link.isUp() && seen.get(chartId(chart))?.lookedAt === undefined,
    look,
    fetchPage,
  };
}

function pageName(key: Pick<PageKey, 'chart' | 'number'>): string {
  return `page:${pageId(key)}`;
}

function lockName(key: Pick<PageKey, 'chart' | 'number'>): string {
  return `lock:${pageId(key)}`;
}

function failureName(key: Pick<PageKey, 'chart' | 'number'>): string {
  return `failure:${pageId(key)}`;
}

/** Microseconds: unlike milliseconds, hardly ever the same for two pages. */
function toOrder(ms: number): number {
  return Math.round(ms * 1000);
}

/** A script's reply that begins with a word. */
function toAnswer([word, ...rest]: ScriptReply): readonly [string?, ...unknown[]] {
  return word === undefined ? [] : [String(word), ...rest];
}
