import { useEffect, useEffectEvent, useRef } from 'react';
import type { Explanation } from '../failures/explainError.ts';
import { Failure } from '../failures/Failure.tsx';
import { useAutomaticRetry } from '../failures/useAutomaticRetry.ts';

/** Loading starts at this distance from the end of the list. */
const AHEAD = '1000px';

/**
 * Loads the next window when the end of the list is near, or when the button is pressed. After a failure it tries again
 * by itself, so that scrolling goes on when an outage is over.
 */
export function More({
  after,
  isAutomatic,
  isLoading,
  failure,
  onMore,
}: {
  /** The cursor that the next window starts after. */
  readonly after: string;
  /** Whether the end of the list loads more; if not, only the button does. */
  readonly isAutomatic: boolean;
  readonly isLoading: boolean;
  readonly failure: Explanation | undefined;
  readonly onMore: () => void;
}) {
  const button = useRef<HTMLButtonElement>(null);
  const onNear = useEffectEvent(onMore);
  const retryAt = useAutomaticRetry(isAutomatic ? failure : undefined, onMore);
  const isWaiting = isAutomatic && !isLoading && !failure;

  // biome-ignore lint/correctness/useExhaustiveDependencies: each window needs a new observer.
  useEffect(() => {
    if (!isWaiting || !button.current) return;
    const observer = new IntersectionObserver(
      // There can be several entries for one frame: the last one is current.
      (entries) => {
        if (entries.at(-1)?.isIntersecting) onNear();
      },
      { rootMargin: AHEAD },
    );
    observer.observe(button.current);
    return () => observer.disconnect();
  }, [isWaiting, after]);

  return (
    <>
      {failure && <Failure explanation={failure} retryAt={retryAt} />}
      {/* The same button in all states and never `disabled`, so that it does not lose the focus. */}
      <button
        className="more"
        type="button"
        ref={button}
        aria-disabled={isLoading}
        onClick={() => isLoading || onMore()}
      >
        {isLoading ? 'Loading…' : failure ? 'Try again' : 'Show more'}
      </button>
    </>
  );
}
