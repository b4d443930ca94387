import { type SubmitEvent, useId, useState } from 'react';
import { maxCredits, PAGE_SIZE } from '../api/windows.ts';
import { count } from '../page/words.ts';
import type { Chart } from './useChart.ts';

/** A field for a rank to go to, with what that costs at most. */
export function Jump({
  chart: { edges, totalCount },
  linkedRank,
  onJump,
}: {
  readonly chart: Chart;
  /** The rank in the field at first. */
  readonly linkedRank: number | undefined;
  readonly onJump: (rank: number) => void;
}) {
  const id = useId();
  const hintId = useId();
  const linked = linkedRank ? String(Math.min(linkedRank, totalCount)) : '';
  const [text, setText] = useState(linked);
  const isLinked = text !== '' && text === linked;
  const rank = Number(text);
  const lastRank = edges.at(-1)?.rank ?? 0;
  // The rank may be near the end of the list, which then loads one more page.
  const ranks = Math.min(Math.ceil(rank / PAGE_SIZE) * PAGE_SIZE + PAGE_SIZE, totalCount) - lastRank;
  const credits = rank > lastRank ? maxCredits(ranks) : 0;
  return (
    <form
      className="choice"
      onSubmit={(event: SubmitEvent<HTMLFormElement>) => {
        event.preventDefault();
        onJump(rank);
      }}
    >
      <label htmlFor={id}>Go to rank</label>
      <span className="with-button">
        <input
          id={id}
          type="number"
          inputMode="numeric"
          min={1}
          max={totalCount}
          required
          value={text}
          aria-describedby={hintId}
          onChange={({ target }) => setText(target.value)}
        />
        <button type="submit">Go</button>
        <span id={hintId} className="hint">
          {credits > 0 && `${isLinked ? 'the link leads here: ' : ''}up to ${count(credits, 'credit')}`}
        </span>
      </span>
    </form>
  );
}
