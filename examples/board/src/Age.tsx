import { useEffect, useState } from 'react';
import type { ChartFactsFragment } from './generated/documents.ts';
import { ago } from './words.ts';

const MINUTE_MS = 60_000;

/** The time, again each half minute. */
function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), MINUTE_MS / 2);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** How old the data are, with a mark when they are stale. */
export function Age({ facts: { fetchedAt, stale } }: { readonly facts: ChartFactsFragment }) {
  // An answer may be younger than the last half minute.
  const now = Math.max(useNow(), Date.parse(fetchedAt));
  return (
    <>
      <time dateTime={fetchedAt} title={new Date(fetchedAt).toLocaleString('en')}>
        updated {ago(Date.parse(fetchedAt), now)}
      </time>
      {stale && (
        <strong
          className="stale"
          title="Past its time to live: newer data are on their way, or cannot be had right now"
        >
          Older data
        </strong>
      )}
    </>
  );
}
