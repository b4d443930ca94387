import { type Chart, chartId } from '../../domain/chart.ts';
import { ApiError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import type { PageKey } from '../../domain/page.ts';
import type { WindowArguments, WindowNeed } from '../../domain/window/index.ts';
import type { OnDataEvent } from '../events.ts';
import type { PageCache } from '../pages/pageCache.ts';
import type { CachedPage } from '../pages/pageStore.ts';
import type { Views } from '../pages/views.ts';
import { type ChartWindow, cutInSteps, type PagesNeeded } from './cutInSteps.ts';
import { createOperationPages, type ReadPage } from './operationPages.ts';
import { ResultPages } from './resultPages.ts';
import { createVideoFinder, type FindVideo } from './videoFinder.ts';

/** Reads charts for one operation. */
export interface ChartReader {
  /** The pages that were read so far. */
  readonly resultPages: ResultPages;
  /**
   * Reads a window. When all its pages are cached it is cut at once: from one generation of the chart if one has all of
   * them, else from each page's newest copy; stale pages are refreshed in the background. When a page is missing, the
   * window waits for it and for fresh copies of the others, so that its pages are about equally old.
   *
   * @throws {ApiError} When a page that is needed is unavailable.
   */
  readWindow(chart: Chart, args: WindowArguments, need: WindowNeed): Promise<ChartWindow>;
  /** See `createVideoFinder`. */
  readonly findVideo: FindVideo;
}

/** See `createChartReader`. */
interface ChartReaderOptions {
  readonly cache: PageCache;
  /** Receives the cost of what is read. */
  readonly operation: Operation;
  readonly onEvent: OnDataEvent;
  /** Reads a page that may have to be waited for; from `cache` by default. */
  readonly readPage?: ReadPage | undefined;
}

/** The result of cutting a window from cached pages. */
interface ViewCut {
  /** Absent when a page is missing. */
  readonly window: ChartWindow | undefined;
  readonly used: readonly CachedPage[];
  /** The pages that the window needs, as far as is known. */
  readonly needed: readonly PageKey[];
}

/** Creates a reader for one operation. */
export function createChartReader(options: ChartReaderOptions): ChartReader {
  const { cache, operation, onEvent, readPage = (key, reader) => cache.fetch(key, reader) } = options;
  const isFresh = (page: CachedPage): boolean => cache.isFresh(page);
  const resultPages = new ResultPages(cache);
  const operationPages = createOperationPages({ cache, readPage, operation, resultPages, onEvent });
  /** By chart id, the number of a page that this operation reads. */
  const pageOfChart = new Map<string, number>();

  async function readWindow(chart: Chart, args: WindowArguments, need: WindowNeed): Promise<ChartWindow> {
    if (cache.needsSharedLookup(chart)) await cache.lookUpShared(chart);
    const cached = cutFromViews(chart, cache.views(chart).preferred, args, need);
    if (cached) return cached;
    if (await cache.lookUpShared(chart)) {
      const imported = cutFromViews(chart, cache.views(chart).preferred, args, need);
      if (imported) return imported;
    }
    const { fallback } = cache.views(chart);
    try {
      return await loadAndCut(chart, args, need, () => cache.known(chart));
    } catch (error) {
      const isRefused = error instanceof ApiError && error.code === 'BAD_USER_INPUT';
      const window = isRefused ? undefined : cutFromViews(chart, fallback, args, need);
      if (window) return window;
      // The chart may have shrunk: perhaps only expired pages say that the refused page exists.
      if (!isRefused || cache.known(chart).expired.length === 0) throw error;
      pageOfChart.delete(chartId(chart));
      return await loadAndCut(chart, args, need, () => ({ ...cache.known(chart), expired: [] }));
    }
  }

  /** The window from the first of these views that has all its pages. */
  function cutFromViews(
    chart: Chart,
    views: Views['preferred'],
    args: WindowArguments,
    need: WindowNeed,
  ): ChartWindow | undefined {
    let needed: readonly PageKey[] | undefined;
    for (const view of views) {
      const cut = cutFromView(chart, view, args, need);
      needed ??= cut.needed;
      if (!cut.window) continue;
      for (const page of cut.used) operationPages.use(page, 'window');
      // Also the pages that the preferred view lacks: without them older views would be served until they expire.
      for (const key of needed) cache.refresh(key);
      return cut.window;
    }
    return undefined;
  }

  /** Cuts the window from the pages of one view. */
  function cutFromView(
    chart: Chart,
    view: readonly CachedPage[],
    args: WindowArguments,
    need: WindowNeed,
  ): ViewCut {
    const used: CachedPage[] = [];
    const needed: PageKey[] = [];
    const known = { fresh: view, expired: [], otherCopies: () => pagesOutside(chart, view) };
    const cutting = cutInSteps(args, need, () => known, isFresh);
    let step = cutting.next();
    while (!step.done) {
      const { numbers, pageSize } = step.value;
      const pages: CachedPage[] = [];
      for (const number of numbers) {
        needed.push({ chart, number, pageSize });
        const page = view.find((copy) => copy.number === number && copy.pageSize === pageSize);
        if (page) pages.push(page);
      }
      if (pages.length < numbers.length) return { window: undefined, used, needed };
      used.push(...pages);
      step = cutting.next(pages);
    }
    return { window: step.value, used, needed };
  }

  /** The newest copies of the chart's pages that are not in `view`. */
  function pagesOutside(chart: Chart, view: readonly CachedPage[]): CachedPage[] {
    const numbers = new Set(view.map(({ number }) => number));
    return cache.newest(chart).filter(({ number }) => !numbers.has(number));
  }

  /** Cuts the window from fresh pages, and waits for those that are not cached. */
  async function loadAndCut(
    chart: Chart,
    args: WindowArguments,
    need: WindowNeed,
    known: () => ReturnType<PageCache['known']>,
  ): Promise<ChartWindow> {
    const cutting = cutInSteps(args, need, () => ({ ...known(), otherCopies: () => [] }), isFresh);
    let step = cutting.next();
    while (!step.done) step = cutting.next(await load(chart, step.value));
    return step.value;
  }

  /** May cost credits: these pages are part of the window, or the one page that its facts need. */
  async function load(chart: Chart, { numbers, pageSize, anyPage }: PagesNeeded): Promise<CachedPage[]> {
    const [first = 1] = numbers;
    if (!anyPage) pageOfChart.set(chartId(chart), first);
    const chosen = anyPage ? [await chooseAnyPage(chart, first)] : numbers;
    const keys = chosen.map((number) => ({ chart, number, pageSize }));
    const pages = await Promise.all(keys.map((key) => operationPages.load(key)));
    for (const page of pages) {
      // Upstream used another page size. If the page is needed in this size again, it must be read again.
      if (page.pageSize !== pageSize) operationPages.clear({ chart, number: page.number, pageSize });
    }
    return pages;
  }

  /** A page of the chart that another alias reads anyway, else `number`. */
  async function chooseAnyPage(chart: Chart, number: number): Promise<number> {
    // All aliases of an operation start in the same tick: by the next one they have recorded their pages.
    await Promise.resolve();
    const chosen = pageOfChart.get(chartId(chart)) ?? number;
    pageOfChart.set(chartId(chart), chosen);
    return chosen;
  }

  return { resultPages, readWindow, findVideo: createVideoFinder(cache, operationPages, resultPages) };
}
