import { useQuery } from '@apollo/client/react';
import { explainError } from './explainError.ts';
import { Age } from './Facts.tsx';
import { Failure } from './Failure.tsx';
import { ChartDocument, type ChartQuery } from './generated/documents.ts';
import { More } from './More.tsx';
import type { Place } from './place.ts';
import { VideoTile } from './VideoTile.tsx';
import { count } from './words.ts';

/** One page of the provider: what costs least, and what a screen or two can show. */
const WINDOW = 20;

/** A chart, which grows by a window whenever its end comes near. */
export function Chart({ place: { region, period, orderBy } }: { readonly place: Place }) {
  const { data, previousData, error, loading, refetch, fetchMore } = useQuery(ChartDocument, {
    variables: { region, period, orderBy, first: WINDOW },
  });
  // A refresh that fails leaves what there is.
  const chart = (data ?? previousData)?.trendingVideos;
  const after = chart?.pageInfo.hasNextPage ? chart.pageInfo.endCursor : null;
  const failure = error && !loading ? explainError(error) : undefined;
  const tryAgain = (): void => void refetch().catch(() => undefined);

  if (!chart) {
    return failure ? <Failure explanation={failure} onRetry={tryAgain} /> : <Skeletons />;
  }
  const tiles = toTiles(chart.edges);
  return (
    <>
      <p className="facts">
        <span>{count(chart.totalCount, 'video')}</span>
        <Age facts={chart} />
        <button type="button" onClick={tryAgain} disabled={loading}>
          Refresh
        </button>
      </p>
      {failure && <Failure explanation={failure} onRetry={tryAgain} />}
      <ol className="tiles" aria-label="Videos, top of the chart first">
        {tiles.map(({ rank, node }) => (
          <li key={node.id}>
            <VideoTile rank={rank} video={node} />
          </li>
        ))}
      </ol>
      {after !== null ? (
        <More after={after} onMore={() => fetchMore({ variables: { after } })} />
      ) : (
        <p className="end">{chart.totalCount === 0 ? 'This chart is empty.' : 'That is the whole chart.'}</p>
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

/** The chart may have moved between two windows: a video that stands in both is shown once. */
function toTiles(edges: readonly Edge[]): Edge[] {
  return [...new Map(edges.toReversed().map((edge) => [edge.node.id, edge])).values()].toReversed();
}

/** What a chart looks like while it is on its way. */
function Skeletons() {
  return (
    <div className="tiles" aria-busy="true">
      <p className="visually-hidden" role="status">
        Loading…
      </p>
      {Array.from({ length: WINDOW }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: nothing but their number tells them apart.
        <span className="tile skeleton" key={index} aria-hidden="true" />
      ))}
    </div>
  );
}
