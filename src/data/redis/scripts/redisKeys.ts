import { type Chart, chartId, parseChartId } from '../../../domain/chart.ts';
import { type PageKey, pageId } from '../../../domain/page.ts';

// All keys in Redis, without the prefix of the installation.

/**
 * Part of the names of keys. Changes with the form of the values, so that different releases do not read each other's:
 * test/data/stored checks that it does.
 */
export const VALUES_VERSION = 'v1';

/**
 * In place of it in the names of what all releases have to share, or they would exceed the limits together: the presence of
 * replicas, circuits, calls, the budget and request counts. Their form may only be added to.
 */
const LIMITS_VERSION = 'v1';
const LIMITS = /^(replicas|circuit|calls|budget|requests)(:|$)/;

/** The name of one of our keys in Redis. `source`: demo data and each upstream have separate keys. */
export function toKeyName(
  key: string,
  {
    prefix,
    source,
    version = VALUES_VERSION,
  }: { readonly prefix: string; readonly source: string; readonly version?: string },
): string {
  return `${prefix}:${LIMITS.test(key) ? LIMITS_VERSION : version}:${source}:${key}`;
}

/** Key of the sorted set of replicas, by their last heartbeat. */
export const REPLICAS_KEY = 'replicas';

/** Key of the stream of pages that were stored, and of days that were added to. */
export const CHANGES_KEY = 'changes';

/** Key of the sorted set of calls that count for the rate limit, by the time until which they do. */
const CALLS_KEY = 'calls';

/** Key of what is spent of the day's budget. */
export const BUDGET_KEY = 'budget';

/** Key of the circuit of the account. */
export const ACCOUNT_CIRCUIT_KEY = 'circuit';

/** Key of the circuit of an endpoint, by its name. */
export function keyOfEndpointCircuit(endpoint: string): string {
  return `${ACCOUNT_CIRCUIT_KEY}:${endpoint}`;
}

/** Keys of all limits that a call to an endpoint is subject to. */
export function keysOfLimits(endpoint: string): string[] {
  return [ACCOUNT_CIRCUIT_KEY, keyOfEndpointCircuit(endpoint), CALLS_KEY, BUDGET_KEY];
}

/** Key of a page's value. */
export function keyOfPage(page: PageKey): string {
  return keyOfPageId(pageId(page));
}

/** Key of the value of the page with this id. */
export function keyOfPageId(id: string): string {
  return `page:${id}`;
}

/** Key of a page's lock: the replica that holds it fetches the page. */
export function keyOfLock(page: PageKey): string {
  return `lock:${pageId(page)}`;
}

/** Key of a page's entry in the negative cache: the error that fetching it failed with. */
export function keyOfFailure(page: PageKey): string {
  return `failure:${pageId(page)}`;
}

/** Key of the list of pages that a video is on. */
export function keyOfVideo(itemId: string): string {
  return `video:${itemId}`;
}

/** Key of the numbers on a video. */
export function keyOfStats(itemId: string): string {
  return `stats:${itemId}`;
}

/** Key of the lock of a video's numbers: the request that holds it fetches them. */
export function keyOfStatsLock(itemId: string): string {
  return `statsLock:${itemId}`;
}

/** Key of the error that fetching a video's numbers failed with. */
export function keyOfStatsFailure(itemId: string): string {
  return `statsFailure:${itemId}`;
}

/** The keys of a video's numbers, their lock and their failure. */
export function keysOfStats(itemId: string): string[] {
  return [keyOfStats(itemId), keyOfStatsLock(itemId), keyOfStatsFailure(itemId)];
}

/** Identifies a UTC day of a chart in the stream of changes: `US:7:VIEWS@20454`. Cannot be taken for a page. */
export function chartDayId(chart: Chart, day: number): string {
  return `${chartId(chart)}@${day}`;
}

/** The chart and day with this id; undefined for any other text. */
export function parseChartDayId(text: string): { readonly chart: Chart; readonly day: number } | undefined {
  const [id = '', day = ''] = text.split('@');
  const chart = parseChartId(id);
  return chart && /^\d{1,7}$/.test(day) ? { chart, day: Number(day) } : undefined;
}

/** Key of the ranks of a chart on a UTC day. */
export function keyOfRanks(chart: Chart, day: number): string {
  return `ranks:${chartId(chart)}:${day}`;
}

/** Key of a chart's newest generation. */
export function keyOfGeneration(chart: Chart): string {
  return `generation:${chartId(chart)}`;
}

/** Key of the request counts of a client. */
export function keyOfRequestCounts(client: string): string {
  return `requests:${client}`;
}
