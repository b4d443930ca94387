/// <reference path="./graphql.d.ts" />
import chartFacts from '../../../schema/operations/chartFacts.graphql';
import compareRegions from '../../../schema/operations/compareRegions.graphql';
import trendingVideos from '../../../schema/operations/trendingVideos.graphql';
import trendingVideosWithStats from '../../../schema/operations/trendingVideosWithStats.graphql';
import videosByItemId from '../../../schema/operations/videosByItemId.graphql';
import whatMoved from '../../../schema/operations/whatMoved.graphql';

/** A document to start with. */
export interface Example {
  /** Its file in `schema/operations/`, without the extension. */
  readonly name: string;
  readonly document: string;
  /** Variables to execute it with. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/** The documents of `schema/operations/`. */
export const EXAMPLES: readonly Example[] = [
  {
    name: 'trendingVideos',
    document: trendingVideos,
    variables: { region: 'US', period: 'LAST_7_DAYS', orderBy: 'VIEWS', first: 20 },
  },
  {
    name: 'trendingVideosWithStats',
    document: trendingVideosWithStats,
    variables: { region: 'US', orderBy: 'VIEWS', first: 10 },
  },
  {
    name: 'whatMoved',
    document: whatMoved,
    variables: { region: 'US', orderBy: 'VIEWS', first: 20, days: 7 },
  },
  { name: 'compareRegions', document: compareRegions, variables: { left: 'US', right: 'GB', first: 3 } },
  { name: 'chartFacts', document: chartFacts, variables: { region: 'US' } },
  {
    name: 'videosByItemId',
    document: videosByItemId,
    // The first two of the demo data's US chart.
    variables: { itemIds: ['7933310081972815260', '7310871003254096742'] },
  },
];
