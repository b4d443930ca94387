import type { ComparedWithFragment, MovementFragment } from '../generated/documents.ts';
import { useNow } from './useNow.ts';
import { formatDayAndTime, formatMoment, formatNumber } from './words.ts';

/** What the movements of a chart are compared with, such as `compared with yesterday, 14:00`. */
export function Comparison({
  chart: { comparedWith, totalCount, edges },
}: {
  readonly chart: ComparedWithFragment & {
    readonly totalCount: number;
    readonly edges: readonly Pick<MovementFragment, 'movement'>[];
  };
}) {
  const now = useNow();
  if (!comparedWith) {
    // Windows of different days are compared with different days.
    const isKnown = edges.some(({ movement }) => movement !== null);
    return <span>{isKnown ? 'compared with the day before' : 'no earlier day to compare with'}</span>;
  }
  const { takenAt, knownRanks } = comparedWith;
  const time = Date.parse(takenAt);
  return (
    <span>
      compared with{' '}
      <time dateTime={takenAt} title={formatMoment(time)}>
        {formatDayAndTime(time, now)}
      </time>
      {knownRanks < totalCount && ` (top ${formatNumber(knownRanks)})`}
    </span>
  );
}
