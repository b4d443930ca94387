import type { Page, PageRef } from '../../domain/page.ts';
import { type AdmissionOptions, admitPage, toCoversUntil } from '../pages/storePage.ts';
import type { HeldPage } from '../pages/pageStore.ts';
import { pageName } from './redisKeys.ts';
import { decodeValue, type PageValue } from './pageValue.ts';
import type { RedisLink } from './redisConnection.ts';

/** What it takes to take in what is in Redis. */
export interface AdoptionOptions extends AdmissionOptions {
  readonly link: RedisLink;
}

/** Takes Redis's pages into the store. */
export interface Adoption {
  /** Takes in a value of Redis's; gives the copy that is then held, undefined for a value that is no such page. */
  adoptValue(value: unknown, key: PageRef): HeldPage | undefined;
  /** Takes in a page just stored in Redis. */
  hold(value: PageValue): HeldPage;
  /** Takes in a page that Redis did not get. */
  admitAlone(page: Page): HeldPage;
  /** The newest copy held. */
  newest(key: PageRef): HeldPage | undefined;
  isFresh(page: HeldPage): boolean;
  /** Taken in by a clock that was ahead, before Redis's was known; or a number that is none of ours. */
  isFromFuture(page: Pick<HeldPage, 'order'>): boolean;
  /** Brings those of these pages into the store that Redis has newer, in one `MGET`; gives their keys. */
  adoptFromRedis<TKey extends PageRef>(keys: readonly TKey[]): Promise<TKey[]>;
}

/** By how much the clocks of replicas may differ, as far as is believed. */
const TOLERANCE_MS = 1000;

/** See `Adoption`. */
export function createAdoption(options: AdoptionOptions): Adoption {
  const { link, store, clock } = options;

  async function adoptFromRedis<TKey extends PageRef>(keys: readonly TKey[]): Promise<TKey[]> {
    if (keys.length === 0) return [];
    const values = await link.read(keys.map(pageName));
    return keys.filter((key, index) => {
      const value = values[index];
      const decoded = value ? decodeValue(value, key) : undefined;
      return decoded && adopt(decoded);
    });
  }

  function adoptValue(value: unknown, key: PageRef): HeldPage | undefined {
    const decoded = value instanceof Buffer ? decodeValue(value, key) : undefined;
    return decoded && (adopt(decoded) ?? newest(key));
  }

  /** Undefined when the copy that is held is no older, or when the value is of a time to come. */
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

  function newest({ chart, number }: PageRef): HeldPage | undefined {
    return store.copies(chart).find((copy) => copy.number === number);
  }

  function isFresh({ freshUntil }: HeldPage): boolean {
    return clock.monotonic() < freshUntil;
  }

  function isFromFuture({ order }: Pick<HeldPage, 'order'>): boolean {
    return order > toOrder(link.now() + TOLERANCE_MS);
  }

  return { adoptValue, hold, admitAlone, newest, isFresh, isFromFuture, adoptFromRedis };
}

/** Microseconds: unlike milliseconds, hardly ever the same for two pages. */
export function toOrder(ms: number): number {
  return Math.round(ms * 1000);
}
