import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Chart, TrendingPeriod } from '../src/domain/chart.ts';
import type { ServerSpec } from './runServer.ts';

/** Every field of a video, except its numbers. */
export const VIDEO_FIELDS = `id itemId itemUrl title cover coverExpiresAt duration region countryCode
        creator { handle url }`;

/** The numbers on a video. */
export const STATS_FIELD = 'stats { views likes comments shares favorites publishedAt fetchedAt stale }';

/** A window with these fields of its videos. */
const selection = (videoFields: string): string => `{
    edges {
      rank
      cursor
      node {
        ${videoFields}
      }
    }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    totalCount fetchedAt stale
  }`;

/** Every field of a window, without numbers and movement. */
export const SELECTION = selection(VIDEO_FIELDS);

const windowDocument = (
  videoFields: string,
): string => `query TrendingVideos($region: CountryCode!, $period: TrendingPeriod!, $orderBy: TrendingOrder!, $first: Int, $after: String) {
  trendingVideos(region: $region, period: $period, orderBy: $orderBy, first: $first, after: $after) ${selection(videoFields)}
}`;

/** A page as in KeyAPI: the field of Hive Gateway's schema, which is generated from an OpenAPI document. */
const pageField = (chart: Chart, number: number): string => `trendingVideos(
    region: "${chart.region}", period: ${JSON.stringify(String(chart.period))}, order_by: "${ORDERS[chart.orderBy]}", page: "${number}", limit: "20"
  ) {
    data {
      videos { id item_id item_url title cover duration region country_code }
      pagination { has_more limit page total_count }
    }
    requestId
  }`;

const ORDERS = { VIEWS: 'vv', LIKES: 'like', COMMENTS: 'comment', REPOSTS: 'repost' } as const;

/** The chart of scenarios that use only one. */
export const CHART: Chart = { region: 'US', period: 7, orderBy: 'VIEWS' };

/** The body of a POST for a window with all its fields, by default without numbers. */
export function windowBody(
  chart: Chart,
  first: number,
  after: string | null = null,
  videoFields = VIDEO_FIELDS,
): string {
  const period = Object.entries(TrendingPeriod).find(([, days]) => days === chart.period)?.[0];
  return JSON.stringify({
    query: windowDocument(videoFields),
    variables: { ...chart, period, first, after },
  });
}

/** The body of a POST for pages with all their fields. */
export function pagesBody(chart: Chart, numbers: readonly number[]): string {
  const fields = numbers.map((number) => `p${number}: ${pageField(chart, number)}`);
  return JSON.stringify({ query: `{\n  ${fields.join('\n  ')}\n}` });
}

/** The body of a POST for the first `videos` of a chart, for the server's schema. */
export function topBody({ shape }: Pick<ServerSpec, 'shape'>, chart: Chart, videos: number): string {
  if (shape === 'connection') return windowBody(chart, videos);
  return pagesBody(
    chart,
    Array.from({ length: videos / 20 }, (_, index) => index + 1),
  );
}

/**
 * The item ids in a response, in their order.
 *
 * @throws When the response has errors.
 */
export function readItemIds(text: string): readonly string[] {
  if (/"errors":/.test(text))
    throw new Error(`expected a response without errors, but got: ${text.slice(0, 1000)}`);
  return [...text.matchAll(/"item_?[iI]d":"(\d+)"/g)].map(([, id = '']) => id);
}

/**
 * The cursor after which the next window begins; null at the end of the chart.
 *
 * @throws When the response has errors.
 */
export function readNextCursor(text: string): string | null {
  readItemIds(text);
  return /"hasNextPage":true.*"endCursor":"([^"]+)"/.exec(text)?.[1] ?? null;
}

/** Writes bodies to a file for the load tool, one per line. */
export async function writeBodies(folder: string, name: string, bodies: readonly string[]): Promise<string> {
  const file = path.join(folder, `${name}.bodies`);
  await writeFile(file, `${bodies.join('\n')}\n`);
  return file;
}
