import type { MovementFragment } from '../generated/documents.ts';
import { formatNumber } from './words.ts';

/** How a video has moved since the chart's earlier snapshot; nothing if that is unknown. */
export function Movement({ edge: { movement, rank, previousRank } }: { readonly edge: MovementFragment }) {
  const distance = formatNumber(Math.abs((previousRank ?? rank) - rank));
  if (movement === 'UP') return <Mark kind="up" sign="▲" text={distance} label={`up ${distance}`} />;
  if (movement === 'DOWN') return <Mark kind="down" sign="▼" text={distance} label={`down ${distance}`} />;
  if (movement === 'NEW') return <Mark kind="new" sign="" text="New" label="new" />;
  if (movement === 'SAME') return <Mark kind="same" sign="=" text="" label="same rank" />;
  return null;
}

function Mark({
  kind,
  sign,
  text,
  label,
}: {
  readonly kind: 'up' | 'down' | 'new' | 'same';
  readonly sign: string;
  readonly text: string;
  readonly label: string;
}) {
  return (
    <span className={`movement movement-${kind}`}>
      <span aria-hidden="true">
        {sign}
        {text}
      </span>
      <span className="visually-hidden">, {label}</span>
    </span>
  );
}
