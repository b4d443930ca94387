import DataLoader from 'dataloader';
import { type Chart, chartId } from '../../domain/chart.ts';
import {
  type CachedPage,
  FULL_CHART,
  lacksRows,
  PAGE_SIZE,
  type PageKey,
  pageId,
} from '../../domain/page.ts';
import { isItemId } from '../../domain/trendingVideo.ts';
import type { SharedLookup } from '../pages/pageCache.ts';
import type { ChangeFeed } from './changeFeed.ts';
import type { PageImporter, PageImporterOptions } from './pageImporter.ts';
import { findPages } from './scripts/findPages.ts';
import { readNewestPages } from './scripts/readNewestPages.ts';

/** A chart is not looked up again within this time. */
const LOOKUP_INTERVAL_MS = 1000;
/** Videos in one command: Redis runs one at a time, and other clients have to wait for it. */
const MAX_VIDEOS = 100;
/** More than a full chart has, for pages that are smaller than usual. */
const MAX_PAGES = 50;

/** What looking up pages of other replicas needs. */
export interface SharedLookupOptions extends PageImporterOptions {
  readonly changeFeed: ChangeFeed;
}

/** Imports the pages of single charts. */
interface ChartImporter {
  /** Imports what other replicas have of a chart, however recently it was looked up. */
  importChart(chart: Chart): Promise<void>;
}

/** A chart that was looked up. */
interface FollowedChart {
  readonly chart: Chart;
  /** On the monotonic clock; undefined when Redis has been down since. */
  lookedUpAt: number | undefined;
}

/**
 * Imports what other replicas have cached into the store.
 *
 * - A chart is looked up when an operation reads it for the first time, all its pages at once. From then on the pages
 *   that other replicas fetch are imported within a second. All lookups of one tick take one `MGET`; a chart is looked
 *   up once a second at most.
 * - Videos are looked up by the lists that Redis has of the pages they are on, up to 100 videos at once. All lookups of
 *   one tick take two round trips; one, when nothing is newer than what is cached.
 */
export function createSharedLookup(
  { redis, changeFeed, store, clock }: SharedLookupOptions,
  { importPages, importValue, isFromFuture }: PageImporter,
): ChartImporter & SharedLookup {
  /** By chart id. */
  const followed = new Map<string, FollowedChart>();
  /** Lookups in flight, by chart id. */
  const inFlight = new Map<string, Promise<boolean>>();
  changeFeed.listen({
    onReset: () => {
      for (const entry of followed.values()) entry.lookedUpAt = undefined;
    },
    // What other replicas have fetched of the followed charts.
    onChanges: async ({ pages }) => {
      const keys = new Map<string, PageKey>();
      for (const page of pages) if (followed.has(chartId(page.chart))) keys.set(pageId(page), page);
      await importPages([...keys.values()]);
    },
  });

  const chartLoader = new DataLoader<Chart, boolean>((charts) => loadCharts(charts), { cache: false });
  const videoLoader = new DataLoader<string, undefined>((itemIds) => importVideos(itemIds), {
    cache: false,
    maxBatchSize: MAX_VIDEOS,
  });

  async function lookUpChart(chart: Chart): Promise<boolean> {
    const id = chartId(chart);
    const lookedUpAt = followed.get(id)?.lookedUpAt ?? Number.NEGATIVE_INFINITY;
    if (!redis.isUp() || clock.monotonic() < lookedUpAt + LOOKUP_INTERVAL_MS) return false;
    const lookup =
      inFlight.get(id) ??
      chartLoader
        .load(chart)
        .catch(() => false)
        .finally(() => inFlight.delete(id));
    inFlight.set(id, lookup);
    return lookup;
  }

  async function loadCharts(charts: readonly Chart[]): Promise<boolean[]> {
    const wanted = charts.map((chart) => missingPages(chart));
    // Followed before they are read: what is stored meanwhile is then among the changes.
    const entries = charts.map((chart) => followed.get(chartId(chart)) ?? { chart, lookedUpAt: undefined });
    for (const entry of entries) followed.set(chartId(entry.chart), entry);
    const imported = new Set(await importPages(wanted.flat()));
    for (const entry of entries) entry.lookedUpAt = clock.monotonic();
    return wanted.map((keys) => keys.some((key) => imported.has(key)));
  }

  /** The pages that the chart may have and whose rows are not cached fresh. */
  function missingPages(chart: Chart): PageKey[] {
    const copies = store.copies(chart);
    const isFresh = (copy: CachedPage): boolean => store.isFresh(copy) && !lacksRows(copy);
    const fresh = new Set(copies.filter(isFresh).map(({ number }) => number));
    const { totalCount, pageSize } = copies[0] ?? { totalCount: FULL_CHART, pageSize: PAGE_SIZE };
    const count = Math.min(Math.max(FULL_CHART / PAGE_SIZE, Math.ceil(totalCount / pageSize)), MAX_PAGES);
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    return numbers.filter((number) => !fresh.has(number)).map((number) => ({ chart, number }));
  }

  async function lookUpVideos(itemIds: readonly string[]): Promise<void> {
    if (!redis.isUp()) return;
    // When Redis fails, only the pages cached here are used.
    await videoLoader.loadMany(itemIds.filter(isItemId)).catch(() => undefined);
  }

  /** Imports the pages with newer copies of these videos; the result is in the store. */
  async function importVideos(itemIds: readonly string[]): Promise<undefined[]> {
    const videos = [...new Set(itemIds)].map((itemId) => {
      const page = store.find(itemId)?.page;
      return { itemId, knownSequence: page && !isFromFuture(page) ? page.sequence : 0 };
    });
    const pageIds = await findPages(redis.run, videos);
    const found = pageIds.length > 0 ? await readNewestPages(redis.run, { videos, pageIds }) : [];
    for (const { page, value } of found) importValue(value, page);
    return itemIds.map(() => undefined);
  }

  return {
    importChart: async (chart) => void (await importPages(missingPages(chart))),
    needsLookup: (chart) => redis.isUp() && followed.get(chartId(chart))?.lookedUpAt === undefined,
    lookUpChart,
    lookUpVideos,
  };
}
