import { useLayoutEffect, useRef } from 'react';
import { ago, count, formatUpcoming } from '../page/words.ts';
import type { Explanation } from './explainError.ts';

/** An error message, with a button to try again where that may help. */
export function Failure({
  explanation: { title, text, code, isRetryable, retryAfterSeconds },
  isRetrying = false,
  retryAt,
  onRetry,
}: {
  readonly explanation: Explanation;
  readonly isRetrying?: boolean;
  /** When the page tries again by itself, in Unix milliseconds; undefined if it does not. */
  readonly retryAt?: number | undefined;
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
    <div className="failure" ref={box}>
      {/* Without the rest, which changes: an alert is read as a whole whenever it changes. */}
      <div role="alert">
        <p className="failure-title">{title}</p>
        <p>{text}</p>
      </div>
      {retryAt !== undefined && !isRetrying && <p>This page will try again {formatUpcoming(retryAt)}.</p>}
      {isRetryable && retryAt === undefined && retryAfterSeconds !== undefined && (
        <p>Try again in {formatWait(retryAfterSeconds)}.</p>
      )}
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
