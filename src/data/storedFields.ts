import { z } from 'zod';
import { TrendingOrder, TrendingPeriod } from '../domain/chart.ts';
import { isCountryCode } from '../domain/countryCode.ts';
import { MAX_TIME } from '../domain/dateTime.ts';
import { PAGE_SIZE, type Page } from '../domain/page.ts';
import { type Creator, isItemId, type TrendingVideo } from '../domain/trendingVideo.ts';
import type { VideoStats } from '../domain/videoStats.ts';

// The fields of pages and numbers, as they are validated when they are read from the cache file or from Redis: their GraphQL
// fields can serialise them. When a change of them changes what is stored, test/data/stored says which versions to raise. It does
// not see a change of a refinement.

/** A schema for each field of `T`: a compile error if one is missing, left over or of another type. */
export type FieldsOf<T> = { readonly [Name in keyof T]-?: z.ZodType<T[Name]> };

const url = z.string().refine((text) => URL.canParse(text));
/** Unix milliseconds within the range of a Date. */
const moment = z.number().min(0).max(8.64e15);
const count = z.int().nonnegative().nullable();
/** Unix milliseconds. */
const wholeMoment = z.int().nonnegative().max(MAX_TIME);

export const creatorFields = { handle: z.string(), url } satisfies FieldsOf<Creator>;

export const videoFields = {
  id: z.string(),
  itemId: z.string().refine(isItemId),
  itemUrl: url,
  title: z.string(),
  cover: url.nullable(),
  coverExpiresAt: moment.nullable(),
  duration: z.int32(),
  region: z.string().nullable(),
  countryCode: z.string().refine(isCountryCode).nullable(),
  creator: z.object(creatorFields).nullable(),
} satisfies FieldsOf<TrendingVideo>;

export const pageFields = {
  chart: z.object({
    region: z.string(),
    period: z.enum(TrendingPeriod),
    orderBy: z.enum(TrendingOrder),
  } satisfies FieldsOf<Page['chart']>),
  number: z.int().positive(),
  pageSize: z.int().positive().max(PAGE_SIZE),
  rows: z.array(z.object(videoFields).nullable()).max(PAGE_SIZE).readonly(),
  hasMore: z.boolean(),
  totalCount: z.int32().nonnegative(),
  fetchedAt: moment,
  timesEmpty: z.int().positive().optional(),
} satisfies FieldsOf<Page>;

export const statsFields = {
  views: count,
  likes: count,
  comments: count,
  shares: count,
  favorites: count,
  publishedAt: wholeMoment.nullable(),
  fetchedAt: wholeMoment,
} satisfies FieldsOf<VideoStats>;
