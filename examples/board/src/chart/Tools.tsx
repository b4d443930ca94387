import { useState } from 'react';
import type { ChartTileFragment } from '../generated/documents.ts';
import { Choice } from '../page/Choice.tsx';
import { formatPlace, isByRank, type Place, replacePlace, type Sort } from '../page/place.ts';
import { count } from '../page/words.ts';
import { SORT_NAMES } from './arrangeTiles.ts';
import { CopyLink } from './CopyLink.tsx';
import { toCsv } from './chartCsv.ts';
import { Jump } from './Jump.tsx';
import { SearchField } from './SearchField.tsx';
import type { Chart } from './useChart.ts';

/** Until then browsers have read the file. */
const DOWNLOAD_MS = 60_000;

/** What can be done with the list: sort it, search in it, go to a rank, copy a link, download it. */
export function Tools({
  place,
  chart,
  tiles,
  linkedRank,
  onJump,
}: {
  readonly place: Place;
  readonly chart: Chart;
  /** What is shown. */
  readonly tiles: readonly ChartTileFragment[];
  /** A rank to go to if somebody confirms it. */
  readonly linkedRank: number | undefined;
  readonly onJump: (rank: number) => void;
}) {
  const [note, setNote] = useState('');
  const loaded = chart.edges.length;

  async function download(): Promise<void> {
    setNote('');
    try {
      const text = await toCsv(tiles);
      saveFile(text, `${nameFile(place, chart)}.csv`);
      setNote(`${count(tiles.length, 'video')} downloaded.`);
    } catch {
      setNote('The download failed. Try again.');
    }
  }

  return (
    <section className="tools" aria-label="List tools">
      <Choice<Sort>
        label="Sort"
        value={place.sort}
        options={SORT_NAMES}
        onChoose={(sort) => replacePlace({ ...place, sort })}
      />
      <SearchField place={place} />
      <Jump chart={chart} linkedRank={linkedRank} onJump={onJump} />
      <CopyLink place={place} label="Copy link" />
      <button type="button" onClick={() => void download()}>
        Download CSV
      </button>
      <span className="note" role="status">
        {note}
      </span>
      {loaded < chart.totalCount && !isByRank(place) && (
        <p className="notice">Among the {count(loaded, 'video')} loaded so far.</p>
      )}
    </section>
  );
}

function saveFile(text: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), DOWNLOAD_MS);
}

/** `trending-US-7-views-2026-11-30`. */
function nameFile(place: Place, { fetchedAt }: Chart): string {
  const parameters = new URLSearchParams(formatPlace(place));
  const parts = ['region', 'period', 'order'].map((name) => parameters.get(name));
  return ['trending', ...parts, fetchedAt.slice(0, 10)].join('-');
}
