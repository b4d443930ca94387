import type { Chart } from '../domain/chart.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { UpstreamCost } from '../domain/upstreamCost.ts';

/** What happens between an operation and the wire, for whoever logs or counts it. */
export type DataEvent =
  | PageEvent
  | RetryEvent
  | CircuitEvent
  | BudgetEvent
  | BudgetSpentEvent
  | CacheFileEvent
  | RedisEvent;

/** How an operation came by a page: see `UpstreamCost`. */
export type PageOrigin = keyof UpstreamCost['pages'];

/** Something happened to one page. */
export type PageEvent =
  /** An operation used it. */
  | { readonly type: 'pageRead'; readonly origin: PageOrigin; readonly chart: Chart; readonly page: number }
  /** A request is sent for a page that is served meanwhile; it belongs to no operation. */
  | { readonly type: 'pageRefresh'; readonly chart: Chart; readonly page: number }
  /** It was not asked for: too many others wait for their turn. */
  | { readonly type: 'pageShed'; readonly chart: Chart; readonly page: number };

/** A call that failed is sent again. */
export interface RetryEvent {
  readonly type: 'retry';
  readonly chart: Chart;
  readonly page: number;
  /** What the first attempt failed with. */
  readonly code: ErrorCode;
  readonly pauseMs: number;
}

/** Calls are held back, or let through again. */
export type CircuitEvent =
  | { readonly type: 'circuitOpened'; readonly code: ErrorCode; readonly seconds: number }
  | { readonly type: 'circuitClosed' };

/** A call was refused because the day's credits are spent, or it cannot be told whether they are. */
export interface BudgetEvent {
  readonly type: 'budgetRefused' | 'budgetUnknown';
  readonly retryAfterSeconds: number;
}

/** What is spent of a UTC day's budget, by all replicas: at the start, and whenever it is known to change. */
export interface BudgetSpentEvent {
  readonly type: 'budgetSpent';
  /** Days since 1970-01-01. */
  readonly day: number;
  readonly credits: number;
}

/** What became of a file that outlives the process. */
export type CacheFileEvent =
  | { readonly type: 'cacheFileRead' | 'cacheFileWritten'; readonly file: string; readonly pages: number }
  | { readonly type: 'fileIgnored' | 'fileFailed'; readonly file: string; readonly reason: string };

/** Redis answers, or does not; of the latter every attempt tells that fails. */
export type RedisEvent =
  | { readonly type: 'redisUp' }
  | { readonly type: 'redisDown'; readonly wasUp: boolean; readonly reason: string };

/** Listens to the data layer. */
export type OnDataEvent = (event: DataEvent) => void;
