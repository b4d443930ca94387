import { DAY_MS } from '../../domain/utcDay.ts';
import type { Metric } from './parameters.ts';
import { fraction, hash } from './random.ts';
import type { Moment } from './reply.ts';
import { createScores } from './scores.ts';
import type { Video } from './videos.ts';

/** Numbers have grown since this day, by a thousandth of what they were then each day. */
const GROWN_SINCE = Date.UTC(2025, 0, 1);

/**
 * What the last video of all has on that day. The first has 251 times as much, to the power of `steepness`: a few have
 * more than 2^31 views, and none has more likes than views, or more comments or reposts than likes.
 */
const RANGES: Record<Metric, { readonly least: number; readonly steepness: number }> = {
  vv: { least: 10_000_000, steepness: 1 },
  like: { least: 240_000, steepness: 0.5 },
  comment: { least: 8000, steepness: 0.5 },
  repost: { least: 15_000, steepness: 0.5 },
};

/** The smaller, the larger are the numbers of the first videos. */
const BEND = 0.004;

/** What a video has of a metric, on the UTC day of `now`: the lower its score on the charts, the more. */
export function countOf(video: Video, metric: Metric, { now, day }: Moment): number {
  const { least, steepness } = RANGES[metric];
  const share = createScores(video, metric, day)(video.position) / 2 ** 32;
  const days = Math.max(0, Math.floor((now - GROWN_SINCE) / DAY_MS));
  return Math.floor(least * ((1 + BEND) / (share + BEND)) ** steepness * (1 + days / 1000));
}

/** How often a video was saved as a favorite: no chart is ranked by that. */
export function countFavorites(video: Video, moment: Moment): number {
  return Math.floor(countOf(video, 'like', moment) * (0.04 + 0.12 * fraction(`${video.seed}/favorites`)));
}

/**
 * When a video was posted, in Unix seconds. It is posted again as soon as it would be too old for its cohort, because
 * its charts must look recent on any day; until then the time stays the same.
 */
export function postedAt({ seed, cohort }: Video, now: number): number {
  const { minDays, maxDays } = cohort;
  const nextDay = (Math.floor(now / DAY_MS) + 1) * DAY_MS;
  // Counted from the end of the day, so that the time does not change within it.
  const latest = (nextDay - (minDays + 1) * DAY_MS) / 1000;
  const cycle = ((maxDays - minDays - 1) * DAY_MS) / 1000;
  const phase = hash(`${seed}/posted`) % cycle;
  return latest - ((((latest - phase) % cycle) + cycle) % cycle);
}
