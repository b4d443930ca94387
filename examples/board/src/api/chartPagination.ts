import type { FieldMergeFunction, FieldPolicy } from '@apollo/client';
import type { ChartQuery } from '../generated/documents.ts';

type Window = NonNullable<ChartQuery['trendingVideos']>;

/** An edge in the cache, with the facts of the window that it came with. */
type DatedEdge = Window['edges'][number] & Pick<Window, 'fetchedAt' | 'stale' | 'comparedWith'>;

/** The list of a chart in the cache; undefined until a window has arrived. */
type List = (Omit<Window, 'edges'> & { readonly edges: readonly DatedEdge[] }) | undefined;

/**
 * Merges all windows of a chart into one list. A window replaces the ranks that it covers, and the other ranks stay: a
 * refresh does not make the list shorter, and windows may arrive in any order. The list is as old as its oldest edge,
 * and stale when any edge is.
 */
const mergeWindow: FieldMergeFunction<List, Window | null> = (existing, incoming) => {
  // After an error the list stays.
  if (!incoming) return existing;
  const { fetchedAt, stale, comparedWith, totalCount } = incoming;
  const received: readonly DatedEdge[] = incoming.edges.map((edge) => ({
    ...edge,
    fetchedAt,
    stale,
    comparedWith,
  }));
  const first = received[0]?.rank ?? 1;
  const last = received.at(-1)?.rank ?? 0;
  const others = existing?.edges ?? [];
  const after = others.filter(({ rank }) => rank > last && rank <= totalCount);
  const edges = [...others.filter(({ rank }) => rank < first), ...received, ...after];
  const isComparable = edges.every((edge) => edge.comparedWith?.takenAt === comparedWith?.takenAt);
  return {
    ...incoming,
    edges,
    // An empty window says that the chart ends here.
    pageInfo: existing && last > 0 && after.length > 0 ? existing.pageInfo : incoming.pageInfo,
    fetchedAt: edges.reduce((oldest, edge) => (edge.fetchedAt < oldest ? edge.fetchedAt : oldest), fetchedAt),
    stale: stale || edges.some((edge) => edge.stale),
    // Windows of different UTC days are compared with different days.
    comparedWith: isComparable ? comparedWith : null,
  };
};

/** How the cache stores `trendingVideos`: one list for each chart. */
export const chartPagination: FieldPolicy<List, Window | null> = {
  keyArgs: ['region', 'period', 'orderBy'],
  merge: mergeWindow,
};
