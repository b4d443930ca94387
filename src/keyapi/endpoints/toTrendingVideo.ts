import { isCountryCode } from '../../domain/countryCode.ts';
import { MAX_TIME } from '../../domain/dateTime.ts';
import { encodeGlobalId } from '../../domain/globalId.ts';
import { isJsonObject } from '../../domain/json.ts';
import { type Creator, isItemId, type TrendingVideo } from '../../domain/trendingVideo.ts';

/** The fields of a row that KeyAPI documents. */
export const DOCUMENTED_FIELDS: ReadonlySet<string> = new Set([
  'country_code',
  'cover',
  'duration',
  'id',
  'item_id',
  'item_url',
  'region',
  'title',
]);

const MAX_INT = 2 ** 31 - 1;

/**
 * Maps a row of KeyAPI's. Null when it has no usable id or `item_url`; any other unusable value becomes null, an empty
 * title or a duration of 0, so that serialising the result cannot fail. A cover that has expired already becomes null
 * too.
 *
 * @param now Unix milliseconds.
 */
export function toTrendingVideo(row: unknown, now: number): TrendingVideo | null {
  if (!isJsonObject(row)) return null;
  const itemId = toItemId(row.item_id) ?? toItemId(row.id);
  const itemUrl = toWebUrl(row.item_url);
  if (itemId === null || itemUrl === null) return null;
  const cover = toWebUrl(row.cover);
  const coverExpiresAt = cover && toExpiry(cover);
  const isExpired = coverExpiresAt !== null && coverExpiresAt <= now;
  const countryCode = typeof row.country_code === 'string' ? row.country_code.toUpperCase() : '';
  return {
    id: encodeGlobalId('TrendingVideo', itemId),
    itemId,
    itemUrl: itemUrl.href,
    title: toText(row.title) ?? '',
    cover: isExpired ? null : (cover?.href ?? null),
    coverExpiresAt,
    duration: toSeconds(row.duration),
    region: toText(row.region),
    countryCode: isCountryCode(countryCode) ? countryCode : null,
    creator: toCreator(itemUrl),
  };
}

/** The item id in a row: JSON numbers beyond 2^53 have lost digits, and would be the id of another video. */
export function toItemId(value: unknown): string | null {
  const text = Number.isSafeInteger(value) ? String(value) : value;
  return typeof text === 'string' && isItemId(text) ? text : null;
}

/** Web links only: a `javascript:` link would run in the page that shows it. */
function toWebUrl(value: unknown): URL | null {
  if (typeof value !== 'string' || !URL.canParse(value)) return null;
  const url = new URL(value);
  return url.protocol === 'https:' || url.protocol === 'http:' ? url : null;
}

function toText(value: unknown): string | null {
  return typeof value === 'string' ? value.toWellFormed() : null;
}

function toSeconds(value: unknown): number {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  const isDuration = typeof seconds === 'number' && seconds >= 0 && seconds <= MAX_INT;
  return isDuration ? Math.round(seconds) : 0;
}

/** `x-expires` of a signed link: Unix seconds. */
function toExpiry(cover: URL): number | null {
  const text = cover.searchParams.get('x-expires') ?? '';
  const time = /^\d+$/.test(text) ? Number(text) * 1000 : Number.NaN;
  return time <= MAX_TIME ? time : null;
}

/** The creator's handle is in the path: `/@handle/video/<id>`. */
function toCreator({ origin, pathname }: URL): Creator | null {
  const segment = /^\/@([^/]+)\//.exec(pathname)?.[1];
  if (segment === undefined) return null;
  try {
    return { handle: decodeURIComponent(segment).toWellFormed(), url: `${origin}/@${segment}` };
  } catch {
    return null; // A malformed escape, such as "%zz".
  }
}
