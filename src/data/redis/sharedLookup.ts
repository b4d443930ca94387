import DataLoader from 'dataloader';
import { type Chart, chartId } from '../../domain/chart.ts';
import { FULL_CHART, PAGE_SIZE, type PageKey, parsePageId } from '../../domain/page.ts';
import { isItemId } from '../../domain/trendingVideo.ts';
import type { SharedLookup } from '../pages/pageCache.ts';
import type { Adoption, AdoptionOptions } from './pageImporter.ts';
import { videoName } from './redisKeys.ts';
import type { RunScript } from './redisConnection.ts';

const LOOK_MS = 1000;
/** Videos that one command asks for: others must not have to wait behind it. */
const MAX_VIDEOS = 100;
/** More than a full chart has, for pages that are smaller than usual. */
const MAX_PAGES = 50;

interface Seen {
  readonly chart: Chart;
  /** On the monotonic clock; undefined when Redis was away since. */
  lookedAt: number | undefined;
}

/**
 * Brings what other replicas hold into the store.
 *
 * - A chart is looked up when an operation reads it for the first time, all its pages at once; from then on the store is
 *   kept up with what the others fetch of it, within a second. What is asked for in one tick is read by one `MGET`, and
 *   nothing twice within a second.
 * - Videos are looked up by the pages that Redis lists for each, up to 100 at once. What is asked for in one tick takes
 *   two round trips, one where nothing is newer than what is held.
 */
export function createSharedLookup(
  { link, store, clock }: AdoptionOptions,
  { adoptFromRedis, isFresh, isFromFuture }: Adoption,
): SharedLookup {
  /** Charts that were looked up, by id. */
  const seen = new Map<string, Seen>();
  /** Charts that are being looked up. */
  const looking = new Map<string, Promise<boolean>>();
  let lastChange = '';
  link.onBeat(async (run, isFirst) => {
    if (isFirst) {
      for (const entry of seen.values()) entry.lookedAt = undefined;
      lastChange = '';
    }
    await follow(run);
  });

  const looks = new DataLoader<Chart, boolean>((charts) => lookAll(charts), { cache: false });
  const videoLooks = new DataLoader<string, undefined>((itemIds) => lookForAll(itemIds), {
    cache: false,
    maxBatchSize: MAX_VIDEOS,
  });

  async function look(chart: Chart): Promise<boolean> {
    const id = chartId(chart);
    const lookedAt = seen.get(id)?.lookedAt ?? Number.NEGATIVE_INFINITY;
    if (!link.isUp() || clock.monotonic() < lookedAt + LOOK_MS) return false;
    const lookup =
      looking.get(id) ??
      looks
        .load(chart)
        .catch(() => false)
        .finally(() => looking.delete(id));
    looking.set(id, lookup);
    return lookup;
  }

  async function lookAll(charts: readonly Chart[]): Promise<boolean[]> {
    const wanted = charts.map((chart) => pagesWanted(chart));
    // Known before they are read: what is stored meanwhile is then among the changes.
    const entries = charts.map((chart) => seen.get(chartId(chart)) ?? { chart, lookedAt: undefined });
    for (const entry of entries) seen.set(chartId(entry.chart), entry);
    const found = new Set(await adoptFromRedis(wanted.flat()));
    for (const entry of entries) entry.lookedAt = clock.monotonic();
    return wanted.map((keys) => keys.some((key) => found.has(key)));
  }

  /** The pages that the chart may have and that are not held fresh. */
  function pagesWanted(chart: Chart): PageKey[] {
    const copies = store.copies(chart);
    const fresh = new Set(copies.filter(isFresh).map(({ number }) => number));
    const { totalCount, pageSize } = copies[0] ?? { totalCount: FULL_CHART, pageSize: PAGE_SIZE };
    const count = Math.min(Math.max(FULL_CHART / PAGE_SIZE, Math.ceil(totalCount / pageSize)), MAX_PAGES);
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    return numbers.filter((number) => !fresh.has(number)).map((number) => ({ chart, number, pageSize }));
  }

  /** Takes in what the other replicas fetched of the charts that were looked up. */
  async function follow(run: RunScript): Promise<void> {
    const [last, ...changes] = await run('changes', ['changes'], [lastChange]);
    if (String(last) === lastChange) return;
    const keys = new Map<string, PageKey>();
    for (let index = 0; index < changes.length; index += 2) {
      const id = String(changes[index]);
      const chart = seen.get(id.slice(0, id.lastIndexOf(':')))?.chart;
      const number = Number(id.slice(id.lastIndexOf(':') + 1));
      const isOurs = String(changes[index + 1]) === link.replica;
      if (chart && !isOurs) keys.set(id, { chart, number, pageSize: PAGE_SIZE });
    }
    await adoptFromRedis([...keys.values()]);
    const isFollowing = lastChange !== '';
    lastChange = String(last);
    // There may be more.
    if (isFollowing) await follow(run);
  }

  async function lookForVideos(itemIds: readonly string[]): Promise<void> {
    if (!link.isUp()) return;
    // What Redis cannot tell is looked for among what is held.
    await videoLooks.loadMany(itemIds.filter(isItemId)).catch(() => undefined);
  }

  /** Gives nothing: what it finds is then in the store. */
  async function lookForAll(itemIds: readonly string[]): Promise<undefined[]> {
    const wanted = [...new Set(itemIds)];
    const known = wanted.map((itemId) => {
      const page = store.find(itemId)?.page;
      return page && !isFromFuture(page) ? page.order : 0;
    });
    const listed = await link.run('find', ['page', ...wanted.map(videoName)], known);
    const ids = new Set(listed.map(String));
    await adoptFromRedis([...ids].flatMap((id) => parsePageId(id) ?? []));
    return itemIds.map(() => undefined);
  }

  return {
    isUnseen: (chart) => link.isUp() && seen.get(chartId(chart))?.lookedAt === undefined,
    look,
    lookForVideos,
  };
}
