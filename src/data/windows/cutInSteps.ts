import { ApiError } from '../../domain/errors.ts';
import type { KnownPage } from '../../domain/page.ts';
import {
  cutWindow,
  type KnownPages,
  planWindow,
  type RankedVideo,
  type RankRange,
  type WindowArguments,
  type WindowNeed,
  type WindowPlan,
} from '../../domain/window/index.ts';
import type { HeldPage } from '../pages/pageStore.ts';

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

/**
 * Bound how often a window is planned anew. A tail's probe, its pages, a moved video, a shrunk chart and a changed
 * grid may each take a round, and finding the end of a chart that claims too much some more; a chart that still
 * differs after that is no chart.
 */
const MAX_ROUNDS = 28;
const MAX_GRID_CHANGES = 2;

/** Pages that a window needs next. */
export interface PagesNeeded {
  readonly numbers: readonly number[];
  readonly pageSize: number;
  /** True when any other page of the chart would do as well. */
  readonly anyPage: boolean;
}

/**
 * Plans a window and cuts it; on the way it yields the pages that it needs next, and is to be given them.
 *
 * @param known What is held of the chart; looked at before each step, and the same object while nothing changes.
 * @param isFresh Whether a page's time to live goes on.
 * @throws {ApiError} `UPSTREAM_BAD_RESPONSE` when the pages contradict each other for good.
 */
export function* cutInSteps(
  args: WindowArguments,
  need: WindowNeed,
  known: () => KnownPages,
  isFresh: (page: HeldPage) => boolean,
): Generator<PagesNeeded, ChartWindow, readonly HeldPage[]> {
  const loaded = new Map<number, HeldPage>();
  const grids: number[] = [];
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const held = known();
    const plan = planWindow(args, need, held, [...loaded.values()]);
    const { pages, pageSize, anyPage, isSettled } = plan;
    if (grids.at(-1) !== pageSize) grids.push(pageSize);
    if (grids.length > MAX_GRID_CHANGES + 1) break;
    const missing = pages.filter((number) => loaded.get(number)?.pageSize !== pageSize);
    if (missing.length === 0) return cut(plan);
    const brought = yield { numbers: missing, pageSize, anyPage };
    for (const page of brought) loaded.set(page.number, page);
    // Planned anew from the same pages, it would come out the same.
    if (isSettled && round === 0 && known() === held && isAmong(brought, held.fresh)) return cut(plan);
  }
  throw new ApiError('UPSTREAM_BAD_RESPONSE', {
    detail: 'The chart never stands still: its pages contradict each other',
  });

  function cut(plan: WindowPlan): ChartWindow {
    const { ranks, pages, chartLength } = plan;
    const videos = need.rows ? cutWindow(plan, args, loaded) : [];
    const read = [...loaded.values()];
    const used = pages.length > 0 ? read.filter(({ number }) => pages.includes(number)) : read;
    return { ranks, videos, facts: toFacts(chartLength, used, isFresh) };
  }
}

function isAmong(pages: readonly KnownPage[], others: readonly KnownPage[]): boolean {
  return pages.every((page) => others.includes(page));
}

function toFacts(
  chartLength: number | undefined,
  pages: readonly HeldPage[],
  isFresh: (page: HeldPage) => boolean,
): ChartFacts | undefined {
  if (chartLength === undefined || pages.length === 0) return undefined;
  return {
    chartLength,
    fetchedAt: Math.min(...pages.map((page) => page.fetchedAt)),
    stale: pages.some((page) => !isFresh(page)),
  };
}
