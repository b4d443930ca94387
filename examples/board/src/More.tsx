import { useEffect, useEffectEvent, useRef, useState } from 'react';
import { type Explanation, explainError } from './explainError.ts';
import { Failure } from './Failure.tsx';

/** Loading starts at this distance from the end of the list. */
const AHEAD = '1000px';

/** Loads the window after the cursor `after` when the end of the list is near, or when the button is pressed. */
export function More({ after, onMore }: { readonly after: string; readonly onMore: () => Promise<unknown> }) {
  const button = useRef<HTMLButtonElement>(null);
  const [state, setState] = useState<'idle' | 'loading' | Explanation>('idle');
  const isIdle = state === 'idle';

  async function load(): Promise<void> {
    setState('loading');
    try {
      await onMore();
      setState('idle');
    } catch (error) {
      setState(explainError(error));
    }
  }
  const onNear = useEffectEvent(load);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each window needs a new observer.
  useEffect(() => {
    if (!isIdle || !button.current) return;
    const observer = new IntersectionObserver(
      // There can be several entries for one frame: the last one is current.
      (entries) => {
        if (entries.at(-1)?.isIntersecting) void onNear();
      },
      { rootMargin: AHEAD },
    );
    observer.observe(button.current);
    return () => observer.disconnect();
  }, [isIdle, after]);

  const failure = typeof state === 'object' ? state : undefined;
  const isLoading = state === 'loading';
  return (
    <>
      {failure && <Failure explanation={failure} />}
      {failure?.isRetryable !== false && (
        // The same button in all states and never `disabled`, so that it does not lose the focus.
        <button
          className="more"
          type="button"
          ref={button}
          aria-disabled={isLoading}
          onClick={() => isLoading || void load()}
        >
          {isLoading ? 'Loading…' : failure ? 'Try again' : 'Show more'}
        </button>
      )}
    </>
  );
}
