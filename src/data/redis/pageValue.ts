import { deflateSync, inflateSync } from 'node:zlib';
import { z } from 'zod';
import { encodeGlobalId } from '../../domain/globalId.ts';
import { parseJson } from '../../domain/json.ts';
import { PAGE_SIZE, type Page, type PageKey, pageId } from '../../domain/page.ts';
import type { Creator, TrendingVideo } from '../../domain/trendingVideo.ts';
import { creatorFields, pageFields, videoFields } from '../storedFields.ts';

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

/** A video's fields in this order; its global id follows from them. */
const rowSchema = z.tuple([
  videoFields.itemId,
  videoFields.itemUrl,
  videoFields.title,
  videoFields.cover,
  videoFields.coverExpiresAt,
  videoFields.duration,
  videoFields.region,
  videoFields.countryCode,
  z.tuple([creatorFields.handle, creatorFields.url]).nullable(), // creator
]);
type Row = z.infer<typeof rowSchema>;

/** The body of a value. */
export const pageBody = z.object({ ...pageFields, rows: z.array(rowSchema.nullable()).max(PAGE_SIZE) });

/** Encodes the part of a value that does not depend on when it is stored. */
export function encodeBody(page: Page): Buffer {
  const { chart, number, pageSize, rows, hasMore, totalCount, fetchedAt, timesEmpty } = page;
  const body: Required<z.infer<typeof pageBody>> = {
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
  const body = pageBody.safeParse(inflate(value.subarray(end + 1)));
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
  const creatorPair: Row[8] = creator && [creator.handle, creator.url];
  return [itemId, itemUrl, title, cover, coverExpiresAt, duration, region, countryCode, creatorPair];
}

function toVideo(row: Row): Required<TrendingVideo> {
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
    creator: creator && toCreator(creator),
  };
}

function toCreator([handle, url]: NonNullable<Row[8]>): Required<Creator> {
  return { handle, url };
}
