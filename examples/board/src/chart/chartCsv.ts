import type { UnparseObject } from 'papaparse';
import type { ChartTileFragment } from '../generated/documents.ts';

/**
 * Spreadsheets execute a cell that starts with one of these (OWASP, "CSV Injection"). A cell may also start within a text:
 * in some countries they split lines at semicolons, and some of them at tabs.
 */
const FORMULAS = /(?<=^|[;\t\r\n])\s*(?=[=+\-@＝＋－＠])/g;

/** A byte order mark: without it Excel takes UTF-8 for another encoding. */
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * The tiles as CSV (RFC 4180), with a header. Numbers are not formatted; what is unknown is empty. Before what a
 * spreadsheet would execute there is an apostrophe.
 */
export async function toCsv(tiles: readonly ChartTileFragment[]): Promise<string> {
  // Loaded when it is needed: few people download a chart.
  const { default: papa } = await import('papaparse');
  const table: UnparseObject<unknown> = {
    fields: ['rank', 'previous_rank', 'movement', 'caption', 'creator', 'url', 'seconds', 'views', 'likes'],
    data: tiles.map(({ rank, previousRank, movement, node }) => {
      const { title, creator, itemUrl, duration, stats } = node;
      return [
        ...[rank, previousRank, movement?.toLowerCase()],
        ...[title, creator?.handle ?? '', itemUrl].map(defuse),
        ...[duration || null, stats?.views, stats?.likes],
      ];
    }),
  };
  return `${BYTE_ORDER_MARK}${papa.unparse(table, { newline: '\r\n' })}\r\n`;
}

function defuse(text: string): string {
  return text.replaceAll(FORMULAS, (spaces) => `${spaces}'`);
}
