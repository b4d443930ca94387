import { type Chart, chartId, parseChartId } from './chart.ts';
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
/** A decoded cursor of this version: chart, rank and video. */
const DECODED = new RegExp(`^${VERSION}\\|([^|]+)\\|([1-9]\\d*)\\|(.*)$`);
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
 * @throws {ApiError} `BAD_USER_INPUT` for a cursor of another chart, and for anything that `encodeCursor` cannot have
 * written, byte for byte.
 */
export function decodeCursor(chart: Chart, text: string, argument: string): Cursor {
  const expected = chartId(chart);
  const bytes = Buffer.from(text, 'base64url');
  const [, id = '', rank = '', itemId = ''] = DECODED.exec(bytes.toString('latin1')) ?? [];
  const isKnown =
    (id === expected || parseChartId(id) !== undefined) &&
    Number(rank) <= MAX_RANK &&
    (itemId === '' || isItemId(itemId)) &&
    // Decoding skips characters that are not base64url.
    bytes.toString('base64url') === text;
  if (!isKnown) throw badCursor(argument, 'a cursor that this API returned, but got', text);
  if (id !== expected) {
    throw badCursor(argument, `a cursor of the chart ${expected}, but got one of the chart ${id}`, text);
  }
  return { rank: Number(rank), itemId: itemId || null };
}

function badCursor(argument: string, expectation: string, text: string): ApiError {
  return new ApiError('BAD_USER_INPUT', {
    message: `Argument "${argument}": expected ${expectation}: ${quote(text)}`,
  });
}
