import { z } from 'zod';
import type { TrendingOrder } from '../../domain/chart.ts';
import { MAX_RANK } from '../../domain/cursor.ts';
import { PAGE_SIZE, type Page, type PageKey, pageEndpoint } from '../../domain/page.ts';
import type { KeyapiEndpoint, Reading } from '../endpoint.ts';
import { integer } from '../envelope.ts';
import { DOCUMENTED_FIELDS, toTrendingVideo } from './toTrendingVideo.ts';

const ORDER_BY: Record<TrendingOrder, string> = {
  VIEWS: 'vv',
  LIKES: 'like',
  COMMENTS: 'comment',
  REPOSTS: 'repost',
};

/** True or false, as a number or as text. */
const flag = z.union([
  z.boolean(),
  z.literal([0, 1]).transform((value) => value === 1),
  z.stringbool({ truthy: ['true', '1'], falsy: ['false', '0'] }),
]);

// Unknown fields are ignored: zod drops them.
const payloadSchema = z.object({
  data: z.object({
    pagination: z.object({
      has_more: flag.nullish(),
      // The limit that upstream applied.
      limit: integer.refine((value) => value >= 1, 'expected 1 or more'),
      page: integer.nullish(),
      // Cursors cannot have a rank beyond this.
      total_count: integer.refine((value) => value >= 0 && value <= MAX_RANK, `expected 0 to ${MAX_RANK}`),
    }),
    // Null stands for an empty list.
    videos: z.array(z.unknown()).nullable(),
  }),
});

/** Pages of trending charts: `GET /v1/tiktok/trending/videos`. */
export const trendingVideos: KeyapiEndpoint<PageKey, Page> = {
  ...pageEndpoint,

  toPath({ chart, number }) {
    const query = new URLSearchParams({
      page: String(number),
      period: String(chart.period),
      limit: String(PAGE_SIZE),
      region: chart.region,
      order_by: ORDER_BY[chart.orderBy],
    });
    return `/v1/tiktok/trending/videos?${query}`;
  },

  toValue(body, { chart, number }, reading) {
    const { success, data, error } = payloadSchema.safeParse(body);
    if (!success) throw new TypeError(z.prettifyError(error));
    const { pagination, videos } = data.data;
    if ((pagination.page ?? number) !== number) {
      // Its rows would get the wrong ranks.
      throw new TypeError(`pagination.page: expected ${number}, but got: ${pagination.page}`);
    }
    const pageSize = Math.min(pagination.limit, PAGE_SIZE);
    const totalCount = pagination.total_count;
    return {
      chart,
      number,
      pageSize,
      rows: videos ? readRows(videos.slice(0, pageSize), reading) : [],
      hasMore: pagination.has_more ?? number * pageSize < totalCount,
      totalCount,
      fetchedAt: reading.fetchedAt,
    };
  },
};

/** The videos of rows; null for each that cannot be read. */
function readRows(
  rows: readonly unknown[],
  { fetchedAt, reportFields, reportDropped }: Reading,
): Page['rows'] {
  for (const row of rows) reportFields(row, DOCUMENTED_FIELDS);
  const videos = rows.map((row) => toTrendingVideo(row, fetchedAt));
  const dropped = videos.filter((video) => video === null).length;
  if (dropped > 0) reportDropped(dropped);
  return videos;
}
