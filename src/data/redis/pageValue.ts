import { deflateSync, inflateSync } from 'node:zlib';
import { z } from 'zod';
import { TrendingOrder, TrendingPeriod } from '../../domain/chart.ts';
import { isCountryCode } from '../../domain/countryCode.ts';
import { encodeGlobalId } from '../../domain/globalId.ts';
import { parseJson } from '../../domain/json.ts';
import { PAGE_SIZE, type Page, type PageKey, pageId } from '../../domain/page.ts';
import { isItemId, type TrendingVideo } from '../../domain/trendingVideo.ts';

/**
 * The value of a page in Redis: a line `sequence generation freshUntil kind pageId`, written by the script that stores
 * the page, then the page as deflated JSON, whose checksum zlib verifies. `kind`: 1 for a page that replaced a copy of its
 * generation, 2 for one that lacks rows, else 0.
 */
export interface PageValue {
  readonly page: Page;
  /** Microseconds of Redis's clock: when the page was requested, or stored without Redis. */
  readonly sequence: number;
  readonly generation: number;
  /** Milliseconds of Redis's clock. */
  readonly freshUntil: number;
  /** True when it replaced a copy of the same generation. */
  readonly replaces: boolean;
}

const HEAD = /^(\d{1,16}) (\d{1,16}) (\d{1,16}) ([012]) (\S{1,60})$/;
const MAX_BODY_BYTES = 2 ** 21;

const url = z.string().refine((text) => URL.canParse(text));
/** Unix milliseconds within the range of a Date. */
const moment = z.number().min(0).max(8.64e15);

/** A video's fields in this order, as its GraphQL fields can serialise them; its global id follows from them. */
const rowSchema = z.tuple([
  z.string().refine(isItemId), // itemId
  url, // itemUrl
  z.string(), // title
  url.nullable(), // cover
  moment.nullable(), // coverExpiresAt
  z.int32(), // duration
  z.string().nullable(), // region
  z.string().refine(isCountryCode).nullable(), // countryCode
  z.tuple([z.string(), url]).nullable(), // creator: handle, url
]);
type Row = z.infer<typeof rowSchema>;

const bodySchema = z.object({
  chart: z.object({
    region: z.string(),
    period: z.enum(TrendingPeriod),
    orderBy: z.enum(TrendingOrder),
  }),
  number: z.int().positive(),
  pageSize: z.int().positive().max(PAGE_SIZE),
  rows: z.array(rowSchema.nullable()).max(PAGE_SIZE),
  hasMore: z.boolean(),
  totalCount: z.int32().nonnegative(),
  fetchedAt: moment,
  timesEmpty: z.int().positive().optional(),
});

/** Encodes the part of a value that does not depend on when it is stored. */
export function encodeBody(page: Page): Buffer {
  const { chart, number, pageSize, rows, hasMore, totalCount, fetchedAt, timesEmpty } = page;
  const body: z.infer<typeof bodySchema> = {
    chart,
    number,
    pageSize,
    rows: rows.map((video) => video && toRow(video)),
    hasMore,
    totalCount,
    fetchedAt,
    timesEmpty,
  };
  return deflateSync(JSON.stringify(body));
}

/** Decodes a value; undefined when it is malformed, or of another page. */
export function decodeValue(value: Buffer, { chart, number }: PageKey): PageValue | undefined {
  const end = value.indexOf('\n');
  const head = HEAD.exec(value.subarray(0, Math.max(0, end)).toString('latin1'));
  const body = bodySchema.safeParse(inflate(value.subarray(end + 1)));
  const id = pageId({ chart, number });
  if (!head || !body.success || head[5] !== id || pageId(body.data) !== id) return undefined;
  return {
    page: { ...body.data, rows: body.data.rows.map((row) => row && toVideo(row)) },
    sequence: Number(head[1]),
    generation: Number(head[2]),
    freshUntil: Number(head[3]),
    replaces: head[4] === '1',
  };
}

function inflate(body: Buffer): unknown {
  try {
    return parseJson(inflateSync(body, { maxOutputLength: MAX_BODY_BYTES }).toString());
  } catch {
    return undefined;
  }
}

function toRow(video: TrendingVideo): Row {
  const { itemId, itemUrl, title, cover, coverExpiresAt, duration, region, countryCode, creator } = video;
  const creatorPair = creator && ([creator.handle, creator.url] as [string, string]);
  return [itemId, itemUrl, title, cover, coverExpiresAt, duration, region, countryCode, creatorPair];
}

function toVideo(row: Row): TrendingVideo {
  const [itemId, itemUrl, title, cover, coverExpiresAt, duration, region, countryCode, creator] = row;
  return {
    id: encodeGlobalId('TrendingVideo', itemId),
    itemId,
    itemUrl,
    title,
    cover,
    coverExpiresAt,
    duration,
    region,
    countryCode,
    creator: creator && { handle: creator[0], url: creator[1] },
  };
}
