import { countFavorites, countOf, postedAt } from './metrics.ts';
import { parseVideoIds } from './parameters.ts';
import { digits, fraction, hash } from './random.ts';
import { failure, type Moment, type Reply, success } from './reply.ts';
import { makeDuration, makeHandle, makeTitle } from './titles.ts';
import { findVideo } from './videoIndex.ts';
import type { Video } from './videos.ts';

/** What makes numbers on videos unavailable. */
export interface AnalyticsSwitches {
  /** The error that every request for numbers gets, such as 403 or 500; none while undefined. */
  analyticsStatus: number | undefined;
  /** The share of videos, from 0 to 1, that have no numbers. The larger includes the smaller. */
  unknownVideos: number;
  /** A request that names one of these videos gets 400. */
  refusedIds: readonly string[];
}

/** Gives the response to a request for numbers on videos. */
type RespondWithNumbers = (query: URLSearchParams) => Reply;

/** Creates the numbers on videos: a chart falls in what it is ordered by, whatever its region and period. */
export function createAnalytics(switches: AnalyticsSwitches, findMoment: () => Moment): RespondWithNumbers {
  const isKnown = (video: Video): boolean => fraction(`${video.seed}/unknown`) >= switches.unknownVideos;

  return (query) => {
    if (switches.analyticsStatus !== undefined) return failure(switches.analyticsStatus);
    const text = query.get('video_ids');
    if (!text) return failure(400, 'Missing required parameter: video_ids');
    const ids = parseVideoIds(text);
    if (!ids || ids.some((id) => switches.refusedIds.includes(id))) {
      return failure(400, 'Invalid parameter: video_ids');
    }
    const videos = ids.map(findVideo).filter((video) => video !== undefined);
    const moment = findMoment();
    const rows = videos.filter(isKnown).map((video) => toRow(video, moment));
    // Rows come in any order: never rely on that of the request.
    return success(rows.reverse());
  };
}

/** A row as KeyAPI sends it. */
function toRow(video: Video, moment: Moment): Readonly<Record<string, string | number>> {
  const { seed, home, itemId } = video;
  // KeyAPI sends counts as text now and then.
  const isText = hash(`${seed}/text`) % 8 === 0;
  const send = (count: number): string | number => (isText ? String(count) : count);
  const views = send(countOf(video, 'vv', moment));
  const handle = makeHandle(seed);
  return {
    video_id: itemId,
    user_id: `6${digits(`${handle}/high`)}${digits(`${handle}/low`)}`,
    unique_id: handle,
    create_time: String(postedAt(video, moment.now)),
    duration: makeDuration(seed),
    region: home,
    created_by_ai: 'false',
    is_ad: Number(hash(`${seed}/ad`) % 20 === 0),
    total_views_cnt: views,
    total_digg_cnt: send(countOf(video, 'like', moment)),
    total_comments_cnt: send(countOf(video, 'comment', moment)),
    total_shares_cnt: send(countOf(video, 'repost', moment)),
    total_favorites_cnt: send(countFavorites(video, moment)),
    // As KeyAPI was seen to send them: 0 where it cannot be.
    total_views_1d_cnt: 0,
    total_views_7d_cnt: 0,
    total_views_30d_cnt: views,
    video_desc: makeTitle(seed),
    video_products: '[]',
    product_category_list: '[]',
  };
}
