import type { ComparedWithFragment } from '../generated/documents.ts';
import { useNow } from './useNow.ts';
import { formatDayAndTime, formatMoment, formatNumber } from './words.ts';

/** What the movements of a chart are compared with, such as `compared with yesterday, 14:00`. */
export function Comparison({
  chart: { comparedWith, totalCount },
}: {
  readonly chart: ComparedWithFragment & { readonly totalCount: number };
}) {
  const now = useNow();
  if (!comparedWith) return <span>no earlier day to compare with</span>;
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
