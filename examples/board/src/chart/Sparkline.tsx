import type { ChartTileFragment } from '../generated/documents.ts';
import { DAY_MS, formatNumber } from '../page/words.ts';

/** As in ChartTile.graphql. */
const DAYS = 7;
const WIDTH = 60;
const HEIGHT = 20;
/** Room for the width of the line. */
const MARGIN = 2;
/** Smaller movements than this do not fill the height. */
const LEAST_RANGE = 6;

type History = ChartTileFragment['history'];

/** The ranks of the last week as a line, the top of the chart above; nothing if only one day is known. */
export function Sparkline({ history }: { readonly history: History }) {
  const last = history.at(-1);
  if (history.length < 2 || !last) return null;
  const ranks = history.map(({ rank }) => rank);
  const [highest, lowest] = [Math.min(...ranks), Math.max(...ranks)];
  const range = Math.max(LEAST_RANGE, lowest - highest);
  const top = (highest + lowest - range) / 2;
  const today = Date.parse(last.date);
  const points = history.map(({ date, rank }) => ({
    // A day that is not known has no point: the line crosses it.
    x: MARGIN + (1 - (today - Date.parse(date)) / DAY_MS / (DAYS - 1)) * (WIDTH - 2 * MARGIN),
    y: MARGIN + ((rank - top) / range) * (HEIGHT - 2 * MARGIN),
  }));
  const end = points.at(-1);
  return (
    <svg
      className="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={`Ranks of the last ${DAYS} days: ${ranks.map(formatNumber).join(', ')}`}
    >
      <polyline points={points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')} />
      {end && <circle cx={end.x} cy={end.y} r={MARGIN} />}
    </svg>
  );
}
