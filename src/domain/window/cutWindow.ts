import type { Page } from '../page.ts';
import type { TrendingVideo } from '../trendingVideo.ts';
import { pageNumber, type WindowArguments, type WindowPlan } from './planWindow.ts';

/** A video at its rank on the chart; 1 is the top. */
export interface RankedVideo {
  readonly rank: number;
  readonly video: TrendingVideo;
  /** The page that it was read from. */
  readonly page: Page;
}

/**
 * Cuts the planned window out of its pages. Left out are ranks without a readable row, and videos that are already
 * higher up in the window or are named by a cursor: pages of different ages may both have them.
 *
 * @param pages All pages of the plan, by number.
 */
export function cutWindow(
  { ranks, pageSize }: WindowPlan,
  { after, before }: WindowArguments,
  pages: ReadonlyMap<number, Page>,
): RankedVideo[] {
  const seen = new Set([after?.itemId, before?.itemId]);
  const window: RankedVideo[] = [];
  let page: Page | undefined;
  for (let rank = ranks.first; rank <= ranks.last; rank++) {
    const number = pageNumber(rank, pageSize);
    if (page?.number !== number) page = pages.get(number);
    const video = page?.rows[(rank - 1) % pageSize];
    if (!page || !video || seen.has(video.itemId)) continue;
    seen.add(video.itemId);
    window.push({ rank, video, page });
  }
  return window;
}
