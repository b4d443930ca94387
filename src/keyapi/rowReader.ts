import { isJsonObject } from '../domain/json.ts';
import type { PageKey } from '../domain/page.ts';
import type { TrendingVideo } from '../domain/trendingVideo.ts';
import type { OnKeyapiEvent } from './events.ts';
import { KNOWN_FIELDS, toTrendingVideo } from './toTrendingVideo.ts';

/** Maps the rows of a page that arrived at `now`, in Unix milliseconds; null for each that cannot be read. */
type RowReader = (key: PageKey, rows: readonly unknown[], now: number) => (TrendingVideo | null)[];

/** Bounds the memory, should upstream send ever new field names. */
const MAX_UNKNOWN_FIELDS = 100;
const MAX_FIELD_LENGTH = 100;

/**
 * Creates a reader of rows. It emits events for rows that cannot be read, and for new fields.
 *
 * @param redact Removes secrets from upstream's texts.
 */
export function createRowReader(redact: (text: string) => string, onEvent: OnKeyapiEvent): RowReader {
  const unknownFields = new Set<string>();

  function reportUnknownFields(row: unknown): void {
    if (!isJsonObject(row)) return;
    for (const field of Object.keys(row)) {
      if (KNOWN_FIELDS.has(field) || unknownFields.has(field)) continue;
      if (unknownFields.size >= MAX_UNKNOWN_FIELDS) return;
      unknownFields.add(field);
      onEvent({ type: 'unknownField', field: redact(field).slice(0, MAX_FIELD_LENGTH) });
    }
  }

  return ({ chart, number }, rows, now) => {
    rows.forEach(reportUnknownFields);
    const videos = rows.map((row) => toTrendingVideo(row, now));
    const dropped = videos.filter((video) => video === null).length;
    if (dropped > 0) onEvent({ type: 'rowsDropped', chart, page: number, count: dropped });
    return videos;
  };
}
