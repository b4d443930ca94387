import { type Chart, chartId } from './chart.ts';
import { ApiError } from './errors.ts';
import { quote } from './quote.ts';
import { isItemId } from './trendingVideo.ts';

/** A position on a chart: after (or before) the video that was at a rank. */
export interface Cursor {
  /** The video's rank when the cursor was created; 1 is the top. */
  readonly rank: number;
  /** The video; null when its rank was empty. */
  readonly itemId: string | null;
}

const VERSION = 1;
/** The last rank that a cursor can have; a full chart has 500. */
export const MAX_RANK = 999_999;

/** Encodes a position on `chart` as an opaque, versioned cursor, the same on every replica. */
export function encodeCursor(chart: Chart, { rank, itemId }: Cursor): string {
  return Buffer.from(`${VERSION}|${chartId(chart)}|${rank}|${itemId ?? ''}`).toString('base64url');
}

/**
 * Decodes a cursor of `chart`.
 *
 * @param argument The argument that it was sent as, for the error.
 * @throws {ApiError} `BAD_USER_INPUT` for anything that `encodeCursor` cannot have written for this chart, byte for
 * byte.
 */
export function decodeCursor(chart: Chart, text: string, argument: string): Cursor {
  const [version, chartOfCursor, rank = '', itemId = ''] = Buffer.from(text, 'base64url')
    .toString('latin1')
    .split('|');
  const isRank = /^[1-9]\d*$/.test(rank) && Number(rank) <= MAX_RANK;
  const cursor = { rank: Number(rank), itemId: itemId === '' ? null : itemId };
  if (!isRank || (itemId !== '' && !isItemId(itemId)) || version !== String(VERSION)) {
    throw badCursor(argument, 'a cursor that this API returned', text);
  }
  if (chartOfCursor !== chartId(chart)) {
    throw badCursor(argument, `a cursor of the chart ${chartId(chart)}`, text);
  }
  // Decoding skips characters that are not base64url, and ignores further fields.
  if (encodeCursor(chart, cursor) !== text) {
    throw badCursor(argument, 'a cursor that this API returned', text);
  }
  return cursor;
}

function badCursor(argument: string, expected: string, text: string): ApiError {
  return new ApiError('BAD_USER_INPUT', {
    message: `Argument "${argument}": expected ${expected}, but got: ${quote(text)}`,
  });
}
