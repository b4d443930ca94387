import type { ChartFactsFragment } from '../generated/documents.ts';
import { useNow } from './useNow.ts';
import { ago, formatMoment } from './words.ts';

/** The age of the data, with a mark when it is stale. */
export function Age({ facts: { fetchedAt, stale } }: { readonly facts: ChartFactsFragment }) {
  // The response may be newer than the last update of `useNow`.
  const now = Math.max(useNow(), Date.parse(fetchedAt));
  return (
    <>
      <time dateTime={fetchedAt} title={formatMoment(Date.parse(fetchedAt))}>
        updated {ago(Date.parse(fetchedAt), now)}
      </time>
      {stale && (
        <strong
          className="stale"
          title="This data may be out of date. Newer data is being fetched, or is unavailable right now."
        >
          Older data
        </strong>
      )}
    </>
  );
}
