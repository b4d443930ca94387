import type { Chart } from '../../domain/chart.ts';
import { ApiError } from '../../domain/errors.ts';
import type { CachedPage } from '../../domain/page.ts';
import { findPage } from '../../domain/pageNumbers.ts';
import {
  type KnownPages,
  planWindow,
  type WindowArguments,
  type WindowNeed,
} from '../../domain/window/index.ts';
import type { PageCache } from '../pages/pageCache.ts';
import type { Views } from '../pages/views.ts';
import { type ChartWindow, cutInSteps, cutPlanned, type PagesNeeded } from './cutInSteps.ts';
import type { Freshness } from './freshness.ts';
import { OperationPages, type OperationPagesOptions } from './operationPages.ts';
import { createVideoFinder, type FindVideo } from './videoFinder.ts';

/** Reads charts for one operation. */
export interface ChartReader {
  /** What the pages that were read so far mean for a cached result; undefined when it must not be cached. */
  freshness(): Freshness | undefined;
  /**
   * Reads a window. When all its pages are cached it is cut at once: from one generation of the chart if one has all of
   * them, else from each page's newest copy; stale pages are refreshed in the background. When a page is missing, the
   * window waits for it and for fresh copies of the others, so that its pages are about equally old.
   *
   * @returns A promise only when something has to be waited for.
   * @throws {ApiError} When a page that is needed is unavailable.
   */
  readWindow(chart: Chart, args: WindowArguments, need: WindowNeed): ChartWindow | Promise<ChartWindow>;
  /** See `createVideoFinder`. */
  readonly findVideo: FindVideo;
}

/** The result of cutting a window from cached pages. */
interface ViewCut {
  /** Absent when a page is missing. */
  readonly window: ChartWindow | undefined;
  readonly used: readonly CachedPage[];
  /** What the window needs, as far as is known. */
  readonly needed: readonly PagesNeeded[];
}

/** Creates a reader for one operation. */
export function createChartReader(options: OperationPagesOptions): ChartReader {
  const { cache } = options;
  const isFresh = (page: CachedPage): boolean => cache.isFresh(page);
  const pages = new OperationPages(options);

  function readWindow(
    chart: Chart,
    args: WindowArguments,
    need: WindowNeed,
  ): ChartWindow | Promise<ChartWindow> {
    if (cache.needsSharedLookup(chart)) {
      return cache.lookUpShared(chart).then(() => cutOrLoad(chart, args, need));
    }
    return cutOrLoad(chart, args, need);
  }

  function cutOrLoad(
    chart: Chart,
    args: WindowArguments,
    need: WindowNeed,
  ): ChartWindow | Promise<ChartWindow> {
    const views = cache.views(chart);
    return cutFromViews(chart, views, 'preferred', args, need) ?? lookUpOrLoad(chart, views, args, need);
  }

  /** @param cached The views that lack a page. */
  async function lookUpOrLoad(
    chart: Chart,
    cached: Views,
    args: WindowArguments,
    need: WindowNeed,
  ): Promise<ChartWindow> {
    let views = cached;
    if (await cache.lookUpShared(chart)) {
      views = cache.views(chart);
      const window = cutFromViews(chart, views, 'preferred', args, need);
      if (window) return window;
    }
    try {
      return await loadAndCut(chart, args, need, () => cache.known(chart));
    } catch (error) {
      const isRefused = error instanceof ApiError && error.code === 'BAD_USER_INPUT';
      const window = isRefused ? undefined : cutFromViews(chart, views, 'fallback', args, need);
      if (window) return window;
      // The chart may have shrunk: perhaps only expired pages say that the refused page exists.
      if (!isRefused || cache.known(chart).expired.length === 0) throw error;
      pages.forgetLoaded(chart);
      return await loadAndCut(chart, args, need, () => ({ ...cache.known(chart), expired: [] }));
    }
  }

  /** The window from the first of these views that has all its pages. */
  function cutFromViews(
    chart: Chart,
    views: Views,
    which: 'preferred' | 'fallback',
    args: WindowArguments,
    need: WindowNeed,
  ): ChartWindow | undefined {
    let needed: readonly PagesNeeded[] | undefined;
    for (const view of views[which]) {
      const cut = cutFromView(view, views.newest, args, need);
      needed ??= cut.needed;
      if (!cut.window) continue;
      for (const page of cut.used) pages.use(page, 'window');
      // Also the pages that the preferred view lacks: without them older views would be served until they expire.
      for (const { numbers, pageSize } of needed) {
        for (const number of numbers) cache.refresh({ chart, number }, pageSize, cut.used);
      }
      limitFreshness(chart);
      return cut.window;
    }
    return undefined;
  }

  /** Cuts the window from the pages of one view. */
  function cutFromView(
    view: readonly CachedPage[],
    newest: readonly CachedPage[],
    args: WindowArguments,
    need: WindowNeed,
  ): ViewCut {
    const known = { fresh: view, expired: [], otherCopies: () => pagesOutside(view, newest) };
    const plan = planWindow(args, need, known, []);
    if (!plan.isSettled || plan.pages.length === 0) return cutInStepsFromView(view, known, args, need);
    // The usual case: one plan, which its pages cannot change.
    const { pages: numbers, pageSize, anyPage } = plan;
    const used = findAll(view, { numbers, pageSize });
    const window = used && cutPlanned(plan, args, need, used, isFresh);
    return { window, used: used ?? [], needed: [{ numbers, pageSize, anyPage }] };
  }

  function cutInStepsFromView(
    view: readonly CachedPage[],
    known: KnownPages,
    args: WindowArguments,
    need: WindowNeed,
  ): ViewCut {
    const used: CachedPage[] = [];
    const needed: PagesNeeded[] = [];
    const cutting = cutInSteps(args, need, () => known, isFresh);
    let step = cutting.next();
    while (!step.done) {
      needed.push(step.value);
      const found = findAll(view, step.value);
      if (!found) return { window: undefined, used, needed };
      used.push(...found);
      step = cutting.next(found);
    }
    return { window: step.value, used, needed };
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
    limitFreshness(chart);
    return step.value;
  }

  /** The chart's length depends on an empty page, which expires early, whether or not it is part of the window. */
  function limitFreshness(chart: Chart): void {
    pages.limitFreshness(cache.emptyUntil(chart));
  }

  /** May cost credits: these pages are part of the window, or the one page that its facts need. */
  function load(chart: Chart, { numbers, pageSize, anyPage }: PagesNeeded): Promise<CachedPage[]> {
    const wanted = numbers.map((number) => ({ chart, number, pageSize }));
    return Promise.all(wanted.map((page) => (anyPage ? pages.loadAny(page) : pages.load(page))));
  }

  return { freshness: () => pages.freshness(), readWindow, findVideo: createVideoFinder(cache, pages) };
}

/** The newest copies of pages that are not in `view`. */
function pagesOutside(view: readonly CachedPage[], newest: readonly CachedPage[]): CachedPage[] {
  const numbers = new Set(view.map(({ number }) => number));
  return newest.filter(({ number }) => !numbers.has(number));
}

/** These pages of `view`; undefined when one is missing, or has another page size. */
function findAll(
  view: readonly CachedPage[],
  { numbers, pageSize }: Pick<PagesNeeded, 'numbers' | 'pageSize'>,
): CachedPage[] | undefined {
  const found: CachedPage[] = [];
  for (const number of numbers) {
    const page = findPage(view, number);
    if (page?.pageSize !== pageSize) return undefined;
    found.push(page);
  }
  return found;
}
