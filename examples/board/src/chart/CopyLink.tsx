import { useState } from 'react';
import { formatLink, type Place } from '../page/place.ts';
import { findVisibleRank } from '../page/position.ts';

/** A button that copies a link to the list, at the rank that is at the top of the window. */
export function CopyLink({ place, label }: { readonly place: Place; readonly label: string }) {
  const [note, setNote] = useState('');

  async function copy(): Promise<void> {
    setNote('');
    const link = formatLink(place, findVisibleRank());
    try {
      await navigator.clipboard.writeText(link);
      setNote('Link copied.');
    } catch {
      // Not allowed, or the page was not loaded over HTTPS.
      window.prompt('Copy this link:', link);
    }
  }

  return (
    <span className="copy">
      <button type="button" onClick={() => void copy()}>
        {label}
      </button>
      <span className="note" role="status">
        {note}
      </span>
    </span>
  );
}
