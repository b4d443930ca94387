import { type Chart, chartId } from '../../domain/chart.ts';
import { ApiError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import type { PageKey } from '../../domain/page.ts';
import type { WindowArguments, WindowNeed } from '../../domain/window/index.ts';
import { type ChartWindow, cutInSteps, type PagesNeeded } from './cutInSteps.ts';
import type { OnDataEvent } from '../events.ts';
import { createOperationPages } from './operationPages.ts';
import type { PageCache } from '../pages/pageCache.ts';
import type { HeldPage } from '../pages/pageStore.ts';
import { ReadPages } from './resultPages.ts';
import { createVideoFinder, type FindVideo } from './videoFinder.ts';
import type { Views } from '../pages/views.ts';

/** Reads charts for one operation. */
export interface ChartReader {
  /** The pages that were read so far. */
  readonly readPages: ReadPages;
  /**
   * Reads a window: at once where all its pages are held, from one generation of the chart if one has them all,
   * else from each page's newest copy. Stale pages are refreshed meanwhile. Where a page is missing, it is waited
   * for together with fresh copies of the others, so that a window is not cut from pages of very different ages.
   *
   * @throws {ApiError} When a page that is needed cannot be had.
   */
  readWindow(chart: Chart, args: WindowArguments, need: WindowNeed): Promise<ChartWindow>;
  /** See `createVideoFinder`. */
  readonly findVideo: FindVideo;
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
  const isFresh = (page: HeldPage): boolean => cache.isFresh(page);
  const readPages = new ReadPages(cache, onEvent);
  const operationPages = createOperationPages(cache, operation, readPages, onEvent);
  /** A page of each chart that this operation reads. */
  const wanted = new Map<string, number>();

  async function readWindow(chart: Chart, args: WindowArguments, need: WindowNeed): Promise<ChartWindow> {
    if (cache.isUnseen(chart)) await cache.look(chart);
    const held = serve(chart, cache.views(chart).preferred, args, need);
    if (held) return held;
    if (await cache.look(chart)) {
      const brought = serve(chart, cache.views(chart).preferred, args, need);
      if (brought) return brought;
    }
    const { lastResort } = cache.views(chart);
    try {
      return await cutLoading(chart, args, need, () => cache.known(chart));
    } catch (error) {
      const isRefused = error instanceof ApiError && error.code === 'BAD_USER_INPUT';
      const window = isRefused ? undefined : serve(chart, lastResort, args, need);
      if (window) return window;
      // A page that upstream refuses may be one that only expired pages say exists: a chart that has shrunk.
      if (!isRefused || cache.known(chart).expired.length === 0) throw error;
      wanted.delete(chartId(chart));
      return await cutLoading(chart, args, need, () => ({ ...cache.known(chart), expired: [] }));
    }
  }

  /** The window from the first of these views that has all its pages. */
  function serve(
    chart: Chart,
    views: Views['preferred'],
    args: WindowArguments,
    need: WindowNeed,
  ): ChartWindow | undefined {
    let asked: readonly PageKey[] | undefined;
    for (const view of views) {
      const cut = cutFrom(chart, view, args, need);
      asked ??= cut.asked;
      if (!cut.window) continue;
      for (const page of cut.used) operationPages.use(page, 'window');
      // Whichever view served: what the newest generation lacks, or older ones would serve for good.
      for (const key of asked) cache.refresh(key);
      return cut.window;
    }
    return undefined;
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
    const known = { fresh: view, expired: [], elsewhere: () => pagesBeside(chart, view) };
    const cutting = cutInSteps(args, need, () => known, isFresh);
    let step = cutting.next();
    while (!step.done) {
      const { numbers, pageSize } = step.value;
      const pages: HeldPage[] = [];
      for (const number of numbers) {
        asked.push({ chart, number, pageSize });
        const page = view.find((held) => held.number === number && held.pageSize === pageSize);
        if (page) pages.push(page);
      }
      if (pages.length < numbers.length) return { window: undefined, used, asked };
      used.push(...pages);
      step = cutting.next(pages);
    }
    return { window: step.value, used, asked };
  }

  /** The newest copies of the chart's pages that are not in `view`. */
  function pagesBeside(chart: Chart, view: readonly HeldPage[]): HeldPage[] {
    const numbers = new Set(view.map(({ number }) => number));
    return cache.newest(chart).filter(({ number }) => !numbers.has(number));
  }

  /** Cuts the window from fresh pages, and waits for those that are not held. */
  async function cutLoading(
    chart: Chart,
    args: WindowArguments,
    need: WindowNeed,
    known: () => ReturnType<PageCache['known']>,
  ): Promise<ChartWindow> {
    const cutting = cutInSteps(args, need, () => ({ ...known(), elsewhere: () => [] }), isFresh);
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

  return { readPages, readWindow, findVideo: createVideoFinder(cache, operationPages, readPages) };
}
