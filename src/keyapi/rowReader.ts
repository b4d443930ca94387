import { isJsonObject } from '../domain/json.ts';
import type { PageKey } from '../domain/page.ts';
import type { TrendingVideo } from '../domain/trendingVideo.ts';
import type { OnKeyapiEvent } from './events.ts';
import { KNOWN_FIELDS, toTrendingVideo } from './toTrendingVideo.ts';

/** Maps the rows of a page that came at `now`, in Unix milliseconds; null for each that cannot be read. */
export type RowReader = (key: PageKey, rows: readonly unknown[], now: number) => (TrendingVideo | null)[];

/** Bounds what an upstream that invents field names can make us remember. */
const MAX_UNKNOWN_FIELDS = 100;
const MAX_FIELD_LENGTH = 100;

/**
 * Maps the rows of a page, null for each that cannot be read, and tells of these and of new fields.
 *
 * @param redact Takes secrets out of what upstream says.
 */
export function createRowReader(redact: (text: string) => string, onEvent: OnKeyapiEvent): RowReader {
  const unknownFields = new Set<string>();

  function noteUnknownFields(row: unknown): void {
    if (!isJsonObject(row)) return;
    for (const field of Object.keys(row)) {
      if (KNOWN_FIELDS.has(field) || unknownFields.has(field)) continue;
      if (unknownFields.size >= MAX_UNKNOWN_FIELDS) return;
      unknownFields.add(field);
      onEvent({ type: 'unknownField', field: redact(field).slice(0, MAX_FIELD_LENGTH) });
    }
  }

  return ({ chart, number }, rows, now) => {
    rows.forEach(noteUnknownFields);
    const videos = rows.map((row) => toTrendingVideo(row, now));
    const dropped = videos.filter((video) => video === null).length;
    if (dropped > 0) onEvent({ type: 'rowsDropped', chart, page: number, count: dropped });
    return videos;
  };
}
