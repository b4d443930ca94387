import { useEffect, useEffectEvent, useRef, useState } from 'react';
import { type Explanation, explainError } from './explainError.ts';
import { Failure } from './Failure.tsx';

/** Begins to load this long before the end of the list can be seen. */
const AHEAD = '1000px';

/** Loads what is behind the cursor `after` when that comes near the screen, or when it is pressed. */
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

  // biome-ignore lint/correctness/useExhaustiveDependencies: each window has an end of its own to look out for.
  useEffect(() => {
    if (!isIdle || !button.current) return;
    const observer = new IntersectionObserver(
      // Several entries where it came and went between two frames: the last one is how it is now.
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
        // One button in all states, and never `disabled`: else the focus would be lost to whoever pressed it.
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
