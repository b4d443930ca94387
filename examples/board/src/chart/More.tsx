import { useEffect, useEffectEvent, useLayoutEffect, useRef } from 'react';
import type { Explanation } from '../failures/explainError.ts';
import { Failure } from '../failures/Failure.tsx';
import { useAutomaticRetry } from '../failures/useAutomaticRetry.ts';

/** Loading starts at this distance from the end of the list. */
const AHEAD = '1000px';

/**
 * The end of the list: loads the next window when it is near, or when the button is pressed. After a failure it tries
 * again by itself, so that scrolling goes on when an outage is over.
 */
export function More({
  after,
  isAutomatic,
  isLoading,
  failure,
  onMore,
  onForget,
}: {
  /** The cursor that the next window starts after; null at the end of the chart. */
  readonly after: string | null;
  /** Whether the end of the list loads more; if not, only the button does. */
  readonly isAutomatic: boolean;
  readonly isLoading: boolean;
  readonly failure: Explanation | undefined;
  readonly onMore: () => void;
  /** Forgets the failure. */
  readonly onForget: () => void;
}) {
  const button = useRef<HTMLButtonElement>(null);
  const end = useRef<HTMLParagraphElement>(null);
  const wasPressed = useRef(false);
  const onNear = useEffectEvent(onMore);
  // Then the end of the list loads the window, if it is still near.
  const retryAt = useAutomaticRetry(isAutomatic ? failure : undefined, onForget, after);
  const isWaiting = isAutomatic && !isLoading && !failure && after !== null;

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

  useLayoutEffect(() => {
    // The button had the focus, and has gone.
    const isLost = wasPressed.current && document.activeElement === document.body;
    if (after === null && isLost) end.current?.focus({ preventScroll: true });
  }, [after]);

  if (after === null) {
    return (
      <p className="end" ref={end} tabIndex={-1}>
        End of the chart.
      </p>
    );
  }
  return (
    <>
      {failure && <Failure explanation={failure} retryAt={retryAt} />}
      {/* The same button in all states and never `disabled`, so that it does not lose the focus. */}
      <button
        className="more"
        type="button"
        ref={button}
        aria-disabled={isLoading}
        onClick={() => {
          wasPressed.current = true;
          if (!isLoading) onMore();
        }}
      >
        {isLoading ? 'Loading…' : failure ? 'Try again' : 'Show more'}
      </button>
    </>
  );
}
