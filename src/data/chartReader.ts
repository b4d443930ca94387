import { type Chart, chartId } from '../domain/chart.ts';
import { ApiError } from '../domain/errors.ts';
import type { Operation } from '../domain/operation.ts';
import type { PageKey } from '../domain/page.ts';
import {
  cutWindow,
  type KnownPages,
  planWindow,
  type RankedVideo,
  type RankRange,
  type WindowArguments,
  type WindowNeed,
} from '../domain/window/index.ts';
import type { OnDataEvent } from './events.ts';
import { createOperationPages } from './operationPages.ts';
import type { PageCache } from './pageCache.ts';
import type { HeldPage } from './pageStore.ts';

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
  /**
   * Reads a window: at once where all its pages are held, from one generation of the chart if one has them all,
   * else from each page's newest copy. Stale pages are refreshed meanwhile. Where a page is missing, it is waited
   * for together with fresh copies of the others, so that a window is not cut from pages of very different ages.
   *
   * @throws {ApiError} When a page that is needed cannot be had.
   */
  readWindow(chart: Chart, args: WindowArguments, need: WindowNeed): Promise<ChartWindow>;
}

/**
 * Bound how often a window is planned anew. A tail's probe, its pages, a moved video, a shrunk chart and a changed
 * grid may each take a round, and finding the end of a chart that claims too much some more; a chart that still
 * differs after that is no chart.
 */
const MAX_ROUNDS = 28;
const MAX_GRID_CHANGES = 2;

/** Pages that a window needs next. */
interface PagesNeeded {
  readonly numbers: readonly number[];
  readonly pageSize: number;
  /** True when any other page of the chart would do as well. */
  readonly anyPage: boolean;
}

/** What cutting a window from held pages came to. */
interface ViewCut {
  /** Absent when a page is missing. */
  readonly window: ChartWindow | undefined;
  readonly used: readonly HeldPage[];
  /** The pages that the window takes, as far as is known. */
  readonly asked: readonly PageKey[];
}

/** A reader for one operation, which pays into its cost. */
export function createChartReader(cache: PageCache, operation: Operation, onEvent: OnDataEvent): ChartReader {
  const operationPages = createOperationPages(cache, operation, onEvent);
  /** A page of each chart that this operation reads. */
  const wanted = new Map<string, number>();

  async function readWindow(chart: Chart, args: WindowArguments, need: WindowNeed): Promise<ChartWindow> {
    let asked: readonly PageKey[] | undefined;
    for (const view of cache.views(chart)) {
      const cut = cutFrom(chart, view, args, need);
      asked ??= cut.asked;
      if (!cut.window) continue;
      for (const page of cut.used) operationPages.use(page);
      // Whichever view served: what the newest generation lacks, or older ones would serve for good.
      for (const key of asked) cache.refresh(key);
      return cut.window;
    }
    return await cutLoading(chart, args, need);
  }

  /** Cuts the window from `view` alone. */
  function cutFrom(
    chart: Chart,
    view: readonly HeldPage[],
    args: WindowArguments,
    need: WindowNeed,
  ): ViewCut {
    const used: HeldPage[] = [];
    const asked: PageKey[] = [];
    const cutting = cutInSteps(args, need, () => ({ fresh: view, expired: [] }));
    let step = cutting.next();
    while (!step.done) {
      const { numbers, pageSize } = step.value;
      asked.push(...numbers.map((number) => ({ chart, number, pageSize })));
      const pages = view.filter((page) => numbers.includes(page.number) && page.pageSize === pageSize);
      if (pages.length < numbers.length) return { window: undefined, used, asked };
      used.push(...pages);
      step = cutting.next(pages);
    }
    return { window: step.value, used, asked };
  }

  async function cutLoading(chart: Chart, args: WindowArguments, need: WindowNeed): Promise<ChartWindow> {
    const cutting = cutInSteps(args, need, () => cache.known(chart));
    let step = cutting.next();
    while (!step.done) step = cutting.next(await load(chart, step.value));
    return step.value;
  }

  /** May spend: these pages are part of the window, or the one page that its facts need. */
  async function load(chart: Chart, { numbers, pageSize, anyPage }: PagesNeeded): Promise<HeldPage[]> {
    const [first = 1] = numbers;
    if (!anyPage) wanted.set(chartId(chart), first);
    const chosen = anyPage ? [await shareAnyPage(chart, first)] : numbers;
    const keys = chosen.map((number) => ({ chart, number, pageSize }));
    const pages = await Promise.all(keys.map((key) => operationPages.load(key)));
    for (const page of pages) {
      // Cut in another grid than was asked for: should it be wanted in that one again, it must be read again.
      if (page.pageSize !== pageSize) operationPages.clear({ chart, number: page.number, pageSize });
    }
    return pages;
  }

  /** A page of the chart that another alias wants anyway, else `number`. */
  async function shareAnyPage(chart: Chart, number: number): Promise<number> {
    // All aliases of the operation start in the same tick: let them say first what they want.
    await Promise.resolve();
    const shared = wanted.get(chartId(chart)) ?? number;
    wanted.set(chartId(chart), shared);
    return shared;
  }

  /** Plans a window and cuts it; on the way it yields the pages that it needs next, and is to be given them. */
  function* cutInSteps(
    args: WindowArguments,
    need: WindowNeed,
    known: () => KnownPages,
  ): Generator<PagesNeeded, ChartWindow, readonly HeldPage[]> {
    const loaded = new Map<number, HeldPage>();
    const grids: number[] = [];
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const plan = planWindow(args, need, known(), [...loaded.values()]);
      const { pages, pageSize, ranks, chartLength, anyPage } = plan;
      if (grids.at(-1) !== pageSize) grids.push(pageSize);
      if (grids.length > MAX_GRID_CHANGES + 1) break;
      const missing = pages.filter((number) => loaded.get(number)?.pageSize !== pageSize);
      if (missing.length === 0) {
        const videos = need.rows ? cutWindow(plan, args, loaded) : [];
        const read = [...loaded.values()];
        const cut = pages.length > 0 ? read.filter(({ number }) => pages.includes(number)) : read;
        return { ranks, videos, facts: toFacts(chartLength, cut) };
      }
      for (const page of yield { numbers: missing, pageSize, anyPage }) loaded.set(page.number, page);
    }
    throw new ApiError('UPSTREAM_BAD_RESPONSE', {
      detail: 'The chart never stands still: its pages contradict each other',
    });
  }

  function toFacts(chartLength: number | undefined, pages: readonly HeldPage[]): ChartFacts | undefined {
    if (chartLength === undefined || pages.length === 0) return undefined;
    return {
      chartLength,
      fetchedAt: Math.min(...pages.map((page) => page.fetchedAt)),
      stale: pages.some((page) => !cache.isFresh(page)),
    };
  }

  return { readWindow };
}
