import { useLayoutEffect, useRef } from 'react';
import type { Explanation } from './explainError.ts';
import { ago, count } from './words.ts';

/** An error message, with a button to try again where that may help. */
export function Failure({
  explanation: { title, text, code, isRetryable, retryAfterSeconds },
  isRetrying = false,
  onRetry,
}: {
  readonly explanation: Explanation;
  readonly isRetrying?: boolean;
  /** If omitted, the retry button is elsewhere. */
  readonly onRetry?: () => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const node = box.current;
    return () => {
      // The focused button disappears: move the focus to the heading.
      if (node?.contains(document.activeElement)) document.getElementById('chart')?.focus();
    };
  }, []);
  return (
    <div className="failure" role="alert" ref={box}>
      <p className="failure-title">{title}</p>
      <p>{text}</p>
      {isRetryable && retryAfterSeconds !== undefined && <p>Try again in {formatWait(retryAfterSeconds)}.</p>}
      {isRetryable && onRetry && (
        // Not `disabled` while retrying: the button would lose the focus.
        <button type="button" onClick={() => isRetrying || onRetry()} aria-disabled={isRetrying}>
          {isRetrying ? 'Trying…' : 'Try again'}
        </button>
      )}
      {code && <code>{code}</code>}
    </div>
  );
}

/** `45 seconds`, `2 hours`. */
function formatWait(seconds: number): string {
  return seconds < 120 ? count(Math.ceil(seconds), 'second') : ago(0, seconds * 1000).replace(' ago', '');
}
