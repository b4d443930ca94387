import { LRUCache } from 'lru-cache';
import { type Chart, chartId } from '../../domain/chart.ts';
import { signCoverUrl } from './cover.ts';
import { parseParameters } from './parameters.ts';
import { CHART_LENGTH, rankVideos } from './ranking.ts';
import { failure, type Moment, type Reply, success } from './reply.ts';
import { makeDuration, makeHandle, makeTitle } from './titles.ts';
import type { Video } from './videos.ts';

/** What changes the charts. */
export interface ChartSwitches {
  /** The UTC day whose charts are served, in days since 1970-01-01; while undefined, that of the emulator's clock. */
  date: number | undefined;
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

/** Gives the response to a request for a page; `origin` is where covers are. */
type RespondWithPage = (query: URLSearchParams, origin: string) => Reply;

/** Charts that are cached. Those of days that have passed are evicted by the charts of later ones. */
const MAX_CHARTS = 100;

/**
 * Creates the charts: the same on every machine. A region's charts overlap, and all regions share some worldwide hits.
 */
export function createCharts(
  switches: Pick<ChartSwitches, 'rotation'>,
  findMoment: () => Moment,
): RespondWithPage {
  const charts = new LRUCache<string, readonly Video[]>({ max: MAX_CHARTS });

  function findChart(chart: Chart, day: number): readonly Video[] {
    const key = `${chartId(chart)}:${day}`;
    const videos = charts.get(key) ?? rankVideos(chart, day);
    charts.set(key, videos);
    return videos;
  }

  return (query, origin) => {
    const parameters = parseParameters(query);
    if (typeof parameters === 'string') return failure(400, `Invalid parameter: ${parameters}`);
    const { page, limit, chart } = parameters;
    const { now, day } = findMoment();
    const videos = findChart(chart, day);
    const start = (page - 1) * limit;
    const end = Math.min(start + limit, CHART_LENGTH);
    const indices = Array.from({ length: Math.max(0, end - start) }, (_, index) => start + index);
    return success({
      pagination: { has_more: end < CHART_LENGTH, limit, page, total_count: CHART_LENGTH },
      videos: indices
        // The chart is a ring: videos that leave one end enter at the other.
        .map((index) => videos.at((index + switches.rotation) % CHART_LENGTH) as Video)
        .map((video) => toRow(video, chart.region, signCoverUrl(origin, video.itemId, now))),
    });
  };
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
