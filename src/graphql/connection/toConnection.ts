import type { ChartWindow } from '../../data/cutInSteps.ts';
import type { Chart } from '../../domain/chart.ts';
import { encodeCursor } from '../../domain/cursor.ts';
import type { PageInfoType } from './pageInfo.type.ts';
import type { TrendingVideoConnectionType, TrendingVideoEdgeType } from './trendingVideoConnection.type.ts';

/** The connection for a window, with as many of its fields as the selection needs. */
export function toConnection(chart: Chart, window: ChartWindow): Partial<TrendingVideoConnectionType> {
  const edges = window.videos.map(({ rank, video }) => ({
    cursor: encodeCursor(chart, { rank, itemId: video.itemId }),
    node: video,
    rank,
  }));
  return {
    edges,
    nodes: window.videos.map(({ video }) => video),
    pageInfo: toPageInfo(chart, window, edges),
    ...(window.facts && {
      totalCount: window.facts.chartLength,
      fetchedAt: window.facts.fetchedAt,
      stale: window.facts.stale,
    }),
  };
}

function toPageInfo(
  chart: Chart,
  { ranks, facts }: ChartWindow,
  edges: readonly TrendingVideoEdgeType[],
): PageInfoType {
  const isEmpty = ranks.last < ranks.first;
  if (isEmpty) return { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null };
  // Where every row was dropped, the ranks alone let a walk go on.
  const [start, end] = [edges.at(0)?.cursor, edges.at(-1)?.cursor];
  return {
    hasNextPage: facts !== undefined && ranks.last < facts.chartLength,
    hasPreviousPage: ranks.first > 1,
    startCursor: start ?? encodeCursor(chart, { rank: ranks.first, itemId: null }),
    endCursor: end ?? encodeCursor(chart, { rank: ranks.last, itemId: null }),
  };
}
