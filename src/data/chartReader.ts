import { type Chart, chartId } from '../domain/chart.ts';
import type { Clock } from '../domain/clock.ts';
import { ApiError } from '../domain/errors.ts';
import type { UpstreamCost } from '../domain/upstreamCost.ts';
import {
  cutWindow,
  planWindow,
  type RankedVideo,
  type RankRange,
  type WindowArguments,
  type WindowNeed,
} from '../domain/window/index.ts';
import type { HeldPage, PageCache } from './pageCache.ts';
import { createPageLoader } from './pageLoader.ts';

/** A window as it was cut. */
export interface ChartWindow {
  readonly ranks: RankRange;
  /** Empty when only facts were needed. */
  readonly videos: readonly RankedVideo[];
  /** Absent when nothing had to be read. */
  readonly facts: ChartFacts | undefined;
}

/** What is true of the chart, and how old it is. */
export interface ChartFacts {
  readonly chartLength: number;
  /** When the oldest page that the window was cut from was fetched, in Unix milliseconds. */
  readonly fetchedAt: number;
  /** True when one of these pages is past its time to live. */
  readonly stale: boolean;
}

/** Reads windows for one operation. */
export interface ChartReader {
  /** @throws {ApiError} When a page that is needed cannot be had. */
  readWindow(chart: Chart, args: WindowArguments, need: WindowNeed): Promise<ChartWindow>;
}

/**
 * Bound how often a window is planned anew. A tail's probe, its pages, a moved video, a shrunk chart and a changed
 * grid may each take a round, and finding the end of a chart that claims too much some more; a chart that still
 * differs after that is no chart.
 */
const MAX_ROUNDS = 28;
const MAX_GRID_CHANGES = 2;

/** A reader for one operation, which pays into `cost`. */
export function createChartReader(cache: PageCache, clock: Clock, cost: UpstreamCost): ChartReader {
  const loader = createPageLoader(cache, cost);
  /** A page of each chart that this operation reads. */
  const wanted = new Map<string, number>();

  /** A page of the chart that another alias wants anyway, else `number`. */
  async function shareAnyPage(chart: Chart, number: number): Promise<number> {
    // All aliases of the operation start in the same tick: let them say first what they want.
    await Promise.resolve();
    const shared = wanted.get(chartId(chart)) ?? number;
    wanted.set(chartId(chart), shared);
    return shared;
  }

  async function readWindow(chart: Chart, args: WindowArguments, need: WindowNeed): Promise<ChartWindow> {
    const loaded = new Map<number, HeldPage>();
    const grids: number[] = [];
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const plan = planWindow(args, need, cache.held(chart), [...loaded.values()]);
      const { pages, pageSize, ranks, chartLength } = plan;
      if (grids.at(-1) !== pageSize) grids.push(pageSize);
      if (grids.length > MAX_GRID_CHANGES + 1) break;
      const missing = pages.filter((number) => loaded.get(number)?.pageSize !== pageSize);
      const [first] = missing;
      if (first === undefined) {
        const videos = need.rows ? cutWindow(plan, args, loaded) : [];
        const read = [...loaded.values()];
        const cut = pages.length > 0 ? read.filter(({ number }) => pages.includes(number)) : read;
        return { ranks, videos, facts: toFacts(chartLength, cut, clock) };
      }
      // May spend: these pages are part of the window, or the one page that its facts need.
      if (!plan.anyPage) wanted.set(chartId(chart), first);
      const numbers = plan.anyPage ? [await shareAnyPage(chart, first)] : missing;
      const keys = numbers.map((number) => ({ chart, number, pageSize }));
      for (const page of await Promise.all(keys.map((key) => loader.load(key)))) {
        loaded.set(page.number, page);
        // Cut in another grid than was asked for: should it be wanted in that one again, it must be read again.
        if (page.pageSize !== pageSize) loader.clear({ chart, number: page.number, pageSize });
      }
    }
    throw new ApiError('UPSTREAM_BAD_RESPONSE', {
      detail: 'The chart never stands still: its pages contradict each other',
    });
  }

  return { readWindow };
}

function toFacts(
  chartLength: number | undefined,
  pages: readonly HeldPage[],
  clock: Clock,
): ChartFacts | undefined {
  if (chartLength === undefined || pages.length === 0) return undefined;
  return {
    chartLength,
    fetchedAt: Math.min(...pages.map((page) => page.fetchedAt)),
    stale: pages.some((page) => clock.monotonic() >= page.freshUntil),
  };
}
