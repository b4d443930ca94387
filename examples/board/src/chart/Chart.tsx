import { useEffect, useEffectEvent, useLayoutEffect, useState } from 'react';
import { Failure } from '../failures/Failure.tsx';
import { useAutomaticRetry } from '../failures/useAutomaticRetry.ts';
import { Age } from '../page/Age.tsx';
import { type Place, parseRank, replacePlace } from '../page/place.ts';
import { showRank, showTop, usePosition } from '../page/position.ts';
import { count, formatNumber } from '../page/words.ts';
import { arrangeTiles } from './arrangeTiles.ts';
import { Comparison } from './Comparison.tsx';
import { More } from './More.tsx';
import { Tools } from './Tools.tsx';
import { nextCursor, useChart, WINDOW } from './useChart.ts';
import { VideoTile } from './VideoTile.tsx';

/** A chart with infinite scroll. */
export function Chart({ place }: { readonly place: Place }) {
  const { sort, search } = place;
  const [linkedRank] = useState(() => parseRank(window.location.search) ?? 0);
  const [rankToShow, setRankToShow] = useState<number>();
  const loaded = useChart(place, linkedRank);
  const { chart, activity, failure, moreFailure, refreshFailure, numbersFailure, news } = loaded;
  const lastRank = chart?.edges.at(-1)?.rank ?? 0;
  const after = chart ? nextCursor(chart) : null;
  const storedRank = usePosition(
    lastRank,
    (wanted) => chart !== undefined && (lastRank >= wanted || after === null || moreFailure !== undefined),
  );
  const retryAt = useAutomaticRetry(failure, loaded.reload);

  const jumpTo = async (rank: number): Promise<void> => {
    replacePlace({ ...place, sort: 'rank', search: '' });
    await loaded.loadUpTo(rank);
    setRankToShow(rank);
  };
  const arrive = useEffectEvent(() => {
    if (storedRank > 0) void loaded.loadUpTo(storedRank);
    else if (linkedRank > 0) void jumpTo(linkedRank);
  });
  const isLoaded = chart !== undefined;
  useEffect(() => {
    if (isLoaded) arrive();
  }, [isLoaded]);
  useLayoutEffect(() => {
    if (rankToShow !== undefined) showRank(rankToShow);
    setRankToShow(undefined);
  }, [rankToShow]);

  if (!chart) {
    if (!failure) return <Skeletons />;
    const isRetrying = activity === 'loading';
    return (
      <Failure explanation={failure} isRetrying={isRetrying} retryAt={retryAt} onRetry={loaded.reload} />
    );
  }
  const tiles = arrangeTiles(chart.edges, sort, search);
  const isRefreshing = activity === 'refreshing';
  return (
    <>
      <p className="facts">
        <span>{count(chart.totalCount, 'video')}</span>
        <Age facts={chart} />
        <Comparison chart={chart} />
        <button
          type="button"
          onClick={() => isRefreshing || void loaded.refresh()}
          aria-disabled={isRefreshing}
        >
          {isRefreshing ? 'Refreshing…' : 'Refresh'}
        </button>
        <span role="status">{news}</span>
      </p>
      {refreshFailure && (
        <Failure
          explanation={refreshFailure}
          isRetrying={isRefreshing}
          onRetry={() => void loaded.refresh()}
        />
      )}
      {numbersFailure && (
        <p className="notice">
          Views and likes of some videos are unavailable. <code>{numbersFailure.code}</code>
        </p>
      )}
      <Tools place={place} chart={chart} tiles={tiles} onJump={jumpTo} />
      <ol className="tiles" aria-label="Videos">
        {tiles.map((edge) => (
          <li key={edge.node.id}>
            <VideoTile edge={edge} />
          </li>
        ))}
      </ol>
      {search && tiles.length === 0 && (
        <p className="end">
          None of the {count(chart.edges.length, 'loaded video')} contains “{search}”.
        </p>
      )}
      {after !== null ? (
        <More
          after={after}
          // Otherwise a short list of matches would load, and pay for, the whole chart.
          isAutomatic={sort === 'rank' && search === ''}
          isLoading={activity === 'loading'}
          failure={moreFailure}
          onMore={() => void loaded.loadUpTo(lastRank + WINDOW)}
        />
      ) : (
        <p className="end">{chart.totalCount === 0 ? 'This chart is empty.' : 'End of the chart.'}</p>
      )}
      <p className="visually-hidden" role="status">
        {formatNumber(tiles.length)} of {count(chart.totalCount, 'video')} shown
      </p>
      {tiles.length > WINDOW && (
        <button className="to-top" type="button" onClick={showTop}>
          Back to the top
        </button>
      )}
    </>
  );
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
