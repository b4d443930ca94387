import type { ChartQueryVariables } from '../generated/documents.ts';

type Chart = Pick<ChartQueryVariables, 'region' | 'period' | 'orderBy'>;
type Window = Chart & Pick<ChartQueryVariables, 'after'>;

/** Until when all windows of a chart are fresh, in Unix milliseconds. */
const freshUntil = new Map<string, number>();

/**
 * Notes how long the server keeps a window unchanged, by the `Cache-Control` header of its response: 0 ms if it has no
 * `max-age`, as after an error. A window from the top starts anew.
 */
export function setFreshness(window: Window, cacheControl: string | null): void {
  const seconds = Number(/max-age=(\d+)/.exec(cacheControl ?? '')?.[1] ?? 0);
  const until = Date.now() + seconds * 1000;
  const others = window.after ? getFreshUntil(window) : Number.POSITIVE_INFINITY;
  freshUntil.set(toKey(window), Math.min(until, others));
}

/** Until when a request for any loaded window of the chart would get the same response, in Unix milliseconds. */
export function getFreshUntil(chart: Chart): number {
  return freshUntil.get(toKey(chart)) ?? 0;
}

function toKey({ region, period, orderBy }: Chart): string {
  return `${region} ${period} ${orderBy}`;
}
