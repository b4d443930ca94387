import { type SubmitEvent, useId, useState } from 'react';
import type { ChartTileFragment } from '../generated/documents.ts';
import { Choice } from '../page/Choice.tsx';
import { formatLink, formatPlace, type Place, replacePlace, type Sort } from '../page/place.ts';
import { findVisibleRank } from '../page/position.ts';
import { count } from '../page/words.ts';
import { SORT_NAMES } from './arrangeTiles.ts';
import { toCsv } from './chartCsv.ts';
import { type Chart, WINDOW } from './useChart.ts';

/** The most credits that a window costs: 2 for its ranks, 2 for the numbers on its videos. */
const CREDITS_PER_WINDOW = 4;

/** What can be done with the list: sort it, search in it, go to a rank, copy a link, download it. */
export function Tools({
  place,
  chart,
  tiles,
  onJump,
}: {
  readonly place: Place;
  readonly chart: Chart;
  /** What is shown. */
  readonly tiles: readonly ChartTileFragment[];
  readonly onJump: (rank: number) => Promise<void>;
}) {
  const [note, setNote] = useState('');
  const searchId = useId();
  const loaded = chart.edges.length;
  const isPart = loaded < chart.totalCount;

  async function copyLink(): Promise<void> {
    const link = formatLink(place, findVisibleRank());
    try {
      await navigator.clipboard.writeText(link);
      setNote('Link copied.');
    } catch {
      // Not allowed, or the page was not loaded over HTTPS.
      window.prompt('Copy this link:', link);
    }
  }

  async function download(): Promise<void> {
    const url = URL.createObjectURL(new Blob([await toCsv(tiles)], { type: 'text/csv;charset=utf-8' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = `${nameFile(place, chart)}.csv`;
    link.click();
    URL.revokeObjectURL(url);
    setNote(`${count(tiles.length, 'video')} downloaded.`);
  }

  return (
    <section className="tools" aria-label="List">
      <Choice<Sort>
        label="Sort"
        value={place.sort}
        options={SORT_NAMES}
        onChoose={(sort) => replacePlace({ ...place, sort })}
      />
      <div className="choice">
        <label htmlFor={searchId}>Search</label>
        <input
          id={searchId}
          type="search"
          placeholder="Caption or creator"
          value={place.search}
          onChange={({ target }) => replacePlace({ ...place, search: target.value })}
        />
      </div>
      <Jump chart={chart} onJump={onJump} />
      <button type="button" onClick={() => void copyLink()}>
        Copy link
      </button>
      <button type="button" onClick={() => void download()}>
        Download CSV
      </button>
      <span className="note" role="status">
        {note}
      </span>
      {isPart && (place.sort !== 'rank' || place.search !== '') && (
        <p className="notice">Only the {count(loaded, 'loaded video')} of the chart.</p>
      )}
    </section>
  );
}

/** A field for a rank to go to. */
function Jump({
  chart,
  onJump,
}: {
  readonly chart: Chart;
  readonly onJump: (rank: number) => Promise<void>;
}) {
  const id = useId();
  const hintId = useId();
  const [text, setText] = useState('');
  const rank = Number(text);
  const missing = Math.min(rank, chart.totalCount) - (chart.edges.at(-1)?.rank ?? 0);
  const credits = Math.ceil(missing / WINDOW) * CREDITS_PER_WINDOW;
  return (
    <form
      className="choice"
      onSubmit={(event: SubmitEvent<HTMLFormElement>) => {
        event.preventDefault();
        void onJump(rank);
      }}
    >
      <label htmlFor={id}>Go to rank</label>
      <span className="with-button">
        <input
          id={id}
          type="number"
          inputMode="numeric"
          min={1}
          max={chart.totalCount}
          required
          value={text}
          aria-describedby={hintId}
          onChange={({ target }) => setText(target.value)}
        />
        <button type="submit">Go</button>
        <span id={hintId} className="hint">
          {credits > 0 && `up to ${count(credits, 'credit')}`}
        </span>
      </span>
    </form>
  );
}

/** `trending-US-7-views-2026-11-30`. */
function nameFile(place: Place, { fetchedAt }: Chart): string {
  const parameters = new URLSearchParams(formatPlace(place));
  const parts = ['region', 'period', 'order'].map((name) => parameters.get(name));
  return ['trending', ...parts, fetchedAt.slice(0, 10)].join('-');
}
