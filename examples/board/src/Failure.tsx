import { useLayoutEffect, useRef } from 'react';
import type { Explanation } from './explainError.ts';
import { ago, count } from './words.ts';

/** Says what went wrong, and offers to try again where that may help. */
export function Failure({
  explanation: { title, text, code, isRetryable, retryAfterSeconds },
  isRetrying = false,
  onRetry,
}: {
  readonly explanation: Explanation;
  readonly isRetrying?: boolean;
  /** Without it the button is elsewhere. */
  readonly onRetry?: () => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const node = box.current;
    return () => {
      // Who pressed its button goes on at the top of what has come.
      if (node?.contains(document.activeElement)) document.getElementById('chart')?.focus();
    };
  }, []);
  return (
    <div className="failure" role="alert" ref={box}>
      <p className="failure-title">{title}</p>
      <p>{text}</p>
      {isRetryable && retryAfterSeconds !== undefined && (
        <p>It makes sense to wait {wait(retryAfterSeconds)}.</p>
      )}
      {isRetryable && onRetry && (
        // Not `disabled` meanwhile: that would take the focus from whoever pressed it.
        <button type="button" onClick={() => isRetrying || onRetry()} aria-disabled={isRetrying}>
          {isRetrying ? 'Trying…' : 'Try again'}
        </button>
      )}
      {code && <code>{code}</code>}
    </div>
  );
}

/** `45 seconds`, `2 hours`. */
function wait(seconds: number): string {
  return seconds < 120 ? count(Math.ceil(seconds), 'second') : ago(0, seconds * 1000).replace(' ago', '');
}
