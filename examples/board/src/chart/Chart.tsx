import { useEffect, useEffectEvent, useState } from 'react';
import { maxCredits, PAGE_SIZE } from '../api/windows.ts';
import { Failure } from '../failures/Failure.tsx';
import { useAutomaticRetry } from '../failures/useAutomaticRetry.ts';
import { Age } from '../page/Age.tsx';
import { Comparison } from '../page/Comparison.tsx';
import { isByRank, type Place, parseRank, replacePlace } from '../page/place.ts';
import { findLastVisibleRank, showRank, showTop, usePosition } from '../page/position.ts';
import { Skeletons } from '../page/Skeletons.tsx';
import { count, formatNumber } from '../page/words.ts';
import { arrangeTiles } from './arrangeTiles.ts';
import { CopyLink } from './CopyLink.tsx';
import { More } from './More.tsx';
import { Tools } from './Tools.tsx';
import { nextCursor, useChart } from './useChart.ts';
import { VideoTile } from './VideoTile.tsx';

/**
 * A link leads to this rank at most by itself, since it costs credits: beyond it somebody has to confirm. A refresh of more
 * ranks says what it costs at most.
 */
const MAX_LINKED_RANK = 100;

/** A chart with infinite scroll. */
export function Chart({ place }: { readonly place: Place }) {
  const { sort, search } = place;
  const [linkedRank] = useState(() => (isByRank(place) && parseRank(window.location.search)) || 0);
  /** Where somebody wants to be, once it is loaded; 0 for nowhere. */
  const [wantedRank, setWantedRank] = useState(0);
  const loadedChart = useChart(place);
  const { chart, activity, failure, moreFailure, refreshFailure, numbersFailure, news } = loadedChart;
  const lastRank = chart?.edges.at(-1)?.rank ?? 0;
  const after = chart ? nextCursor(chart) : null;
  const isLoaded = chart !== undefined;
  const hasRank = (rank: number): boolean => isLoaded && (lastRank >= rank || after === null);
  const storedRank = usePosition(
    `${sort} ${search} ${lastRank}`,
    // A list that is sorted otherwise needs all that is loaded.
    () => (isByRank(place) ? findLastVisibleRank() : lastRank),
    (needed) => hasRank(needed) || moreFailure !== undefined,
  );
  const retryAt = useAutomaticRetry(failure, loadedChart.reload, isLoaded);

  const jumpTo = (rank: number): void => {
    replacePlace({ ...place, sort: 'rank', search: '' });
    setWantedRank(rank);
    void loadedChart.loadUpTo(rank);
  };
  const goToStoredOrLinkedRank = useEffectEvent(() => {
    if (storedRank > 0) void loadedChart.loadUpTo(storedRank);
    else if (linkedRank > 0 && linkedRank <= MAX_LINKED_RANK) jumpTo(linkedRank);
  });
  useEffect(() => {
    if (isLoaded) goToStoredOrLinkedRank();
  }, [isLoaded]);
  const isThere = wantedRank > 0 && isByRank(place) && hasRank(wantedRank);
  useEffect(() => {
    if (!isThere) return;
    showRank(wantedRank);
    setWantedRank(0);
  }, [isThere, wantedRank]);

  // Somebody who sorts or searches now is not waiting for a rank any more.
  if (wantedRank > 0 && !isByRank(place)) setWantedRank(0);

  if (!chart) {
    if (!failure) return <Skeletons list="tiles" item="tile" count={PAGE_SIZE} />;
    const isRetrying = activity === 'loading';
    return (
      <Failure explanation={failure} isRetrying={isRetrying} retryAt={retryAt} onRetry={loadedChart.reload} />
    );
  }
  const tiles = arrangeTiles(chart.edges, sort, search);
  const isRefreshing = activity === 'refreshing';
  const refresh = (): void => void loadedChart.refresh();
  return (
    <>
      <p className="facts">
        <span>{count(chart.totalCount, 'video')}</span>
        <Age facts={chart} />
        <Comparison chart={chart} />
        <button type="button" onClick={() => isRefreshing || refresh()} aria-disabled={isRefreshing}>
          {isRefreshing ? 'Refreshing…' : 'Refresh'}
        </button>
        {lastRank > MAX_LINKED_RANK && (
          <span className="hint">up to {count(maxCredits(lastRank), 'credit')}</span>
        )}
        <span role="status">{news}</span>
      </p>
      {refreshFailure && <Failure explanation={refreshFailure} isRetrying={isRefreshing} onRetry={refresh} />}
      {numbersFailure && (
        <p className="notice">
          Views and likes of some videos could not be loaded. <code>{numbersFailure.code}</code>
        </p>
      )}
      <Tools
        place={place}
        chart={chart}
        tiles={tiles}
        linkedRank={linkedRank > MAX_LINKED_RANK && storedRank === 0 ? linkedRank : undefined}
        onJump={jumpTo}
      />
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
      {chart.totalCount === 0 ? (
        <p className="end">This chart is empty.</p>
      ) : (
        <More
          after={after}
          // Otherwise a short list of matches would load, and pay for, the whole chart.
          isAutomatic={isByRank(place)}
          isLoading={activity === 'loading'}
          failure={moreFailure}
          onMore={() => void loadedChart.loadUpTo(Math.max(lastRank + PAGE_SIZE, wantedRank))}
          onForget={loadedChart.forgetFailure}
        />
      )}
      <p className="visually-hidden" role="status">
        {formatNumber(tiles.length)} of {count(chart.totalCount, 'video')} shown
      </p>
      {tiles.length > PAGE_SIZE && (
        <div className="floating">
          <CopyLink place={place} label="Copy link to here" />
          <button type="button" onClick={showTop}>
            Back to the top
          </button>
        </div>
      )}
    </>
  );
}
