import { NetworkStatus } from '@apollo/client';
import { useQuery } from '@apollo/client/react';
import { useState } from 'react';
import { Age } from './Age.tsx';
import { explainError } from './explainError.ts';
import { Failure } from './Failure.tsx';
import { ChartDocument, type ChartQuery } from './generated/documents.ts';
import { More } from './More.tsx';
import type { Place } from './place.ts';
import { VideoTile } from './VideoTile.tsx';
import { count } from './words.ts';

/** One page of the provider: 2 credits unless cached, and enough to fill a screen or two. */
const WINDOW = 20;

/** A chart with infinite scroll. */
export function Chart({ place: { region, period, orderBy } }: { readonly place: Place }) {
  const { data, error, networkStatus, refetch, fetchMore } = useQuery(ChartDocument, {
    variables: { region, period, orderBy, first: WINDOW },
  });
  const chart = data?.trendingVideos;
  const after = chart?.pageInfo.hasNextPage ? chart.pageInfo.endCursor : null;
  const isRefreshing = networkStatus === NetworkStatus.refetch;
  // An error stays visible until the next attempt has finished.
  const [failed, setFailed] = useState(error);
  if (!isRefreshing && failed !== error) setFailed(error);
  const refresh = (): void => {
    if (!isRefreshing) void refetch().catch(() => undefined);
  };
  const failure = failed && (
    <Failure explanation={explainError(failed)} isRetrying={isRefreshing} onRetry={refresh} />
  );

  if (!chart) return failure ?? <Skeletons />;
  const tiles = toTiles(chart.edges);
  return (
    <>
      <p className="facts">
        <span>{count(chart.totalCount, 'video')}</span>
        <Age facts={chart} />
        <button type="button" onClick={refresh} aria-disabled={isRefreshing}>
          Refresh
        </button>
      </p>
      {failure}
      <ol className="tiles" aria-label="Videos by rank">
        {tiles.map(({ rank, node }) => (
          <li key={node.id}>
            <VideoTile rank={rank} video={node} />
          </li>
        ))}
      </ol>
      {after !== null ? (
        <More after={after} onMore={() => fetchMore({ variables: { after } })} />
      ) : (
        <p className="end">{chart.totalCount === 0 ? 'This chart is empty.' : 'End of the chart.'}</p>
      )}
      <p className="visually-hidden" role="status">
        {tiles.length} of {count(chart.totalCount, 'video')} shown
      </p>
      {tiles.length > WINDOW && (
        <a className="to-top" href="#chart">
          Back to the top
        </a>
      )}
    </>
  );
}

type Edge = NonNullable<ChartQuery['trendingVideos']>['edges'][number];

/** Drops duplicates: when the chart changes between two windows, a video can be in both. */
function toTiles(edges: readonly Edge[]): Edge[] {
  const seen = new Set<string>();
  return edges.filter(({ node: { id } }) => !seen.has(id) && seen.add(id));
}

/** Placeholders while the chart is loading. */
function Skeletons() {
  return (
    <>
      <p className="facts" role="status">
        Loading…
      </p>
      <div className="tiles" aria-busy="true">
        {Array.from({ length: WINDOW }, (_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no other identity.
          <span className="tile skeleton" key={index} aria-hidden="true" />
        ))}
      </div>
    </>
  );
}
