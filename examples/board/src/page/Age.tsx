import { useEffect, useState } from 'react';
import type { ChartFactsFragment } from '../generated/documents.ts';
import { ago, formatMoment } from './words.ts';

const MINUTE_MS = 60_000;

/** The current time, updated every half minute. */
function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), MINUTE_MS / 2);
    return () => clearInterval(timer);
  }, []);
  return now;
}

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
