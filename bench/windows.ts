import { type Chart, TrendingOrder } from '../src/domain/chart.ts';
import { encodeCursor } from '../src/domain/cursor.ts';
import { readItemIds, VIDEO_FIELDS, windowBody } from './bodies.ts';
import { createFetchedPages, PAGE_SIZE } from './peers/pages.ts';
import { postAll } from './post.ts';
import type { Server } from './runServer.ts';
import { shuffle } from './shuffle.ts';

/** Every order of the last week's charts of these regions. */
export function chartsOf(regions: readonly string[]): readonly Chart[] {
  return regions.flatMap((region) =>
    Object.values(TrendingOrder).map((orderBy) => ({ region, period: 7, orderBy }) as const),
  );
}

const CHART_LENGTH = 500;
/** All pages that a video follows with a whole page after it. */
const PAGES = Array.from({ length: CHART_LENGTH / PAGE_SIZE - 1 }, (_, index) => index + 1);

/** The bodies of all windows of a page's length that come after a video of these charts, shuffled. */
export async function makeWindows(
  keyapiUrl: string,
  charts: readonly Chart[],
  fields = VIDEO_FIELDS,
): Promise<readonly string[]> {
  const pages = createFetchedPages(keyapiUrl);
  const bodies = charts.map(async (chart) => {
    const edges = (await Promise.all(PAGES.map((number) => pages(chart, number)))).flatMap(
      (page) => page.edges,
    );
    return edges.map(({ rank, node }) =>
      windowBody(chart, PAGE_SIZE, encodeCursor(chart, { rank, itemId: node.itemId }), fields),
    );
  });
  return shuffle((await Promise.all(bodies)).flat());
}

/**
 * Requests every window once.
 *
 * @throws When a response is not that of a window of a page's length.
 */
export async function checkWindows({ spec, url }: Server, bodies: readonly string[]): Promise<void> {
  const check = (text: string): void => checkVideos(spec.name, text);
  await postAll(url, bodies, 10, { check });
}

/** @throws When a response has errors, or does not have the videos of one page. */
export function checkVideos(name: string, text: string): void {
  const videos = new Set(readItemIds(text)).size;
  if (videos !== PAGE_SIZE) throw new Error(`${name}: expected ${PAGE_SIZE} videos, but got: ${videos}`);
}
