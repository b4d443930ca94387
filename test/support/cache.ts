import { type FetchPage, PageCache } from '../../src/data/pages/pageCache.ts';
import { PageStore } from '../../src/data/pages/pageStore.ts';
import { storePage } from '../../src/data/pages/storePage.ts';
import type { Operation } from '../../src/domain/operation.ts';
import { pageId } from '../../src/domain/page.ts';
import type { Call } from '../../src/domain/source.ts';
import { createUpstreamCost } from '../../src/domain/upstreamCost.ts';
import { createTestClock, type TestClock } from './clock.ts';
import type { PageSource } from './sources.ts';

export interface TestCacheOptions {
  readonly clock?: TestClock;
  readonly random?: () => number;
  readonly ttlMs?: number;
  readonly staleMs?: number;
  readonly maxBytes?: number;
  readonly isStopped?: () => boolean;
  /** By default an empty one. */
  readonly store?: PageStore;
}

/** A page cache over `source`. By default pages are fresh for exactly 1 s, then stale for 10 s. */
export function createTestCache(source: PageSource, options: TestCacheOptions = {}) {
  const { clock = createTestClock(), random = () => 0, ttlMs = 1000, staleMs = 10_000 } = options;
  /** Ids of the pages that were fetched as a refresh. */
  const refreshes: string[] = [];
  const { store = new PageStore({ clock, staleMs, maxBytes: options.maxBytes ?? 2 ** 24 }) } = options;
  const fetchPage: FetchPage = async (key, call) => {
    if (call.background) refreshes.push(pageId(key));
    return { page: storePage(await source(key, call), { store, clock, random, ttlMs }), origin: 'fetched' };
  };
  const { isStopped = () => false } = options;
  const cache = new PageCache({ fetchPage, isStopped, store, clock, ttlMs, refreshTimeoutMs: 10_000 });
  return { cache, store, clock, refreshes };
}

/** An operation that has spent nothing yet, by default without a deadline. */
export function createOperation(deadlineAt = Number.POSITIVE_INFINITY): Operation {
  return { cost: createUpstreamCost(), deadlineAt, creditsLeft: Number.POSITIVE_INFINITY };
}

/** The call of an operation without a deadline. */
export function createCall(overrides: Partial<Call> = {}): Call {
  return {
    deadline: () => Number.POSITIVE_INFINITY,
    background: false,
    onSent: () => undefined,
    ...overrides,
  };
}

/** Lets everything in flight proceed as far as it can without time passing. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
}
