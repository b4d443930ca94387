import { z } from 'zod';
import { MAX_TIME } from '../../domain/dateTime.ts';
import { isJsonObject } from '../../domain/json.ts';
import { type BatchStats, type StatsBatch, statsEndpoint, type VideoStats } from '../../domain/videoStats.ts';
import type { KeyapiEndpoint, Reading } from '../endpoint.ts';
import { toItemId } from './toTrendingVideo.ts';

/** The fields of a row that KeyAPI documents. The counts of single days were seen to be 0 where they cannot be. */
const DOCUMENTED_FIELDS: ReadonlySet<string> = new Set([
  'video_id',
  'user_id',
  'unique_id',
  'create_time',
  'duration',
  'region',
  'created_by_ai',
  'is_ad',
  'total_views_cnt',
  'total_digg_cnt',
  'total_comments_cnt',
  'total_shares_cnt',
  'total_favorites_cnt',
  'total_views_1d_cnt',
  'total_views_7d_cnt',
  'total_views_30d_cnt',
  'video_desc',
  'video_products',
  'product_category_list',
]);

// One client has seen a single object in place of a list.
const payloadSchema = z.object({
  data: z.union([z.array(z.unknown()), z.looseObject({}).transform((row): unknown[] => [row])]),
});

/** Numbers on videos: `GET /v1/tiktok/video/detail/analytics`. */
export const videoAnalytics: KeyapiEndpoint<StatsBatch, BatchStats> = {
  ...statsEndpoint,

  toPath: (itemIds) => `/v1/tiktok/video/detail/analytics?video_ids=${itemIds.join()}`,

  toValue(body, itemIds, reading) {
    const { success, data, error } = payloadSchema.safeParse(body);
    if (!success) throw new TypeError(z.prettifyError(error));
    const found = readRows(data.data, reading);
    // A video that KeyAPI does not know is absent.
    const stats = new Map(itemIds.map((itemId) => [itemId, found.get(itemId) ?? null]));
    if (data.data.length > 0 && ![...stats.values()].some(Boolean)) {
      throw new TypeError('data: expected a row of a requested video, but got only other rows');
    }
    return stats;
  },
};

/** The numbers by video; rows that cannot be read are reported. */
function readRows(rows: readonly unknown[], reading: Reading): Map<string, VideoStats> {
  const { fetchedAt, reportFields, reportDropped } = reading;
  const found = new Map<string, VideoStats>();
  let dropped = 0;
  for (const row of rows) {
    reportFields(row, DOCUMENTED_FIELDS);
    const itemId = isJsonObject(row) ? toItemId(row.video_id) : null;
    if (isJsonObject(row) && itemId !== null) found.set(itemId, toVideoStats(row, fetchedAt));
    else dropped++;
  }
  if (dropped > 0) reportDropped(dropped);
  return found;
}

/** Maps a row; any unusable value becomes null, so that serialising the result cannot fail. */
function toVideoStats(row: Readonly<Record<string, unknown>>, fetchedAt: number): VideoStats {
  const posted = (toCount(row.create_time) ?? Number.NaN) * 1000;
  return {
    views: toCount(row.total_views_cnt),
    // TikTok's word for like.
    likes: toCount(row.total_digg_cnt),
    comments: toCount(row.total_comments_cnt),
    shares: toCount(row.total_shares_cnt),
    favorites: toCount(row.total_favorites_cnt),
    publishedAt: posted <= MAX_TIME ? posted : null,
    fetchedAt,
  };
}

/** A whole number from 0 to 2^53 - 1, or its digits as text. */
function toCount(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return Number.isSafeInteger(number) && (number as number) >= 0 ? (number as number) : null;
}
