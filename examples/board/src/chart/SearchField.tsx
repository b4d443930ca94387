import { useEffect, useEffectEvent, useId, useState } from 'react';
import { type Place, replacePlace } from '../page/place.ts';

/** How long a text must stay unchanged before it is searched for: Safari allows 100 changes of the URL in 30 s. */
const REST_MS = 300;

/** A field for a text to search for in the list. */
export function SearchField({ place }: { readonly place: Place }) {
  const id = useId();
  const [text, setText] = useState(place.search);
  const [searched, setSearched] = useState(place.search);
  // The URL has changed, for example by a step in the browser's history.
  if (searched !== place.search) {
    setSearched(place.search);
    setText(place.search);
  }
  const search = useEffectEvent(() => {
    if (text !== place.search) replacePlace({ ...place, search: text });
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: each change of the text starts anew.
  useEffect(() => {
    const timer = setTimeout(() => search(), REST_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <div className="choice">
      <label htmlFor={id}>Search</label>
      <input
        id={id}
        type="search"
        placeholder="Caption or creator"
        value={text}
        onChange={({ target }) => setText(target.value)}
      />
    </div>
  );
}
