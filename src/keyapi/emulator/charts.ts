import { signCoverUrl } from './cover.ts';
import { scoreOf } from './metrics.ts';
import { parseParameters, type RequestParameters } from './parameters.ts';
import { failure, type Reply, success } from './reply.ts';
import { makeDuration, makeHandle, makeTitle } from './titles.ts';
import { countVideos, makeVideo, type Video, WORLD } from './videos.ts';

/** What changes the charts. */
export interface ChartSwitches {
  /**
   * How many ranks every chart has moved: the video of rank r + rotation is at rank r. Numbers on videos do not follow:
   * they fit the charts that have not moved.
   */
  rotation: number;
}

/** A row as KeyAPI sends it. */
export interface Row {
  readonly country_code: string;
  readonly cover: string;
  readonly duration: number;
  readonly id: string;
  readonly item_id: string;
  readonly item_url: string;
  readonly region: string;
  readonly title: string;
}

/** Identifies a chart by KeyAPI's parameters. */
type ChartParameters = Pick<RequestParameters, 'region' | 'period' | 'order_by'>;

/** Gives the response to a request for a page; `origin` is where covers are. */
type RespondWithPage = (query: URLSearchParams, origin: string) => Reply;

const CHART_LENGTH = 500;

/**
 * Creates the charts: the same on every machine. A region's charts overlap, and all regions share some worldwide hits.
 */
export function createCharts(switches: ChartSwitches, now: () => number): RespondWithPage {
  const charts = new Map<string, readonly Video[]>();

  return (query, origin) => {
    const parameters = parseParameters(query);
    if (typeof parameters === 'string') return failure(400, `Invalid parameter: ${parameters}`);
    const { page, limit, ...chart } = parameters;
    const id = JSON.stringify(chart);
    const videos = charts.get(id) ?? makeChart(chart);
    charts.set(id, videos);
    const start = (page - 1) * limit;
    const end = Math.min(start + limit, CHART_LENGTH);
    const indices = Array.from({ length: Math.max(0, end - start) }, (_, index) => start + index);
    return success({
      pagination: { has_more: end < CHART_LENGTH, limit, page, total_count: CHART_LENGTH },
      videos: indices
        // The chart is a ring: videos that leave one end enter at the other.
        .map((index) => videos.at((index + switches.rotation) % CHART_LENGTH) as Video)
        .map((video) => toRow(video, chart.region, signCoverUrl(origin, video.itemId, now()))),
    });
  };
}

/** The videos of a chart, top first. */
function makeChart({ region, period, order_by }: ChartParameters): Video[] {
  return [region, WORLD]
    .flatMap((place) => listVideos(place, Number(period)))
    .map((video) => ({ video, score: scoreOf(video, order_by) }))
    .sort((a, b) => a.score - b.score || (a.video.seed < b.video.seed ? -1 : 1))
    .slice(0, CHART_LENGTH)
    .map(({ video }) => video);
}

function listVideos(place: string, days: number): Video[] {
  return Array.from({ length: countVideos(place, days) }, (_, index) => makeVideo(place, index));
}

function toRow({ seed, itemId }: Video, region: string, cover: string): Row {
  return {
    country_code: region,
    cover,
    duration: makeDuration(seed),
    id: itemId,
    item_id: itemId,
    item_url: `https://www.tiktok.com/@${makeHandle(seed)}/video/${itemId}`,
    region: regionNames.of(region) ?? region,
    title: makeTitle(seed),
  };
}

const regionNames = new Intl.DisplayNames(['en'], { type: 'region' });
