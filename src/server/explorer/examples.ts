/// <reference path="./graphql.d.ts" />
import chartFacts from '../../../schema/operations/chartFacts.graphql';
import compareRegions from '../../../schema/operations/compareRegions.graphql';
import node from '../../../schema/operations/node.graphql';
import nodes from '../../../schema/operations/nodes.graphql';
import trendingVideos from '../../../schema/operations/trendingVideos.graphql';
import trendingVideosWithStats from '../../../schema/operations/trendingVideosWithStats.graphql';
import videoByItemId from '../../../schema/operations/videoByItemId.graphql';
import videosByItemId from '../../../schema/operations/videosByItemId.graphql';
import whatMoved from '../../../schema/operations/whatMoved.graphql';
import { encodeGlobalId } from '../../domain/globalId.ts';

/** A document to start with. */
export interface Example {
  /** Its file in `schema/operations/`, without the extension. */
  readonly name: string;
  readonly document: string;
  /** Variables to execute it with. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/** The first two videos of the demo data's US chart. */
const TOP_TWO = ['7933310081972815260', '7310871003254096742'] as const;
const TOP_TWO_NODES = TOP_TWO.map((itemId) => encodeGlobalId('TrendingVideo', itemId));

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
  { name: 'videoByItemId', document: videoByItemId, variables: { itemId: TOP_TWO[0] } },
  { name: 'videosByItemId', document: videosByItemId, variables: { itemIds: TOP_TWO } },
  { name: 'node', document: node, variables: { id: TOP_TWO_NODES[0] } },
  { name: 'nodes', document: nodes, variables: { ids: TOP_TWO_NODES } },
];
