import type { Explanation } from './explainError.ts';
import { ago } from './words.ts';

/** Says what went wrong, and offers to try again where that may help. */
export function Failure({
  explanation: { title, text, code, isRetryable, retryAfterSeconds },
  isRetrying = false,
  onRetry,
}: {
  readonly explanation: Explanation;
  readonly isRetrying?: boolean;
  readonly onRetry: () => void;
}) {
  return (
    <div className="failure" role="alert">
      <h2>{title}</h2>
      <p>{text}</p>
      {isRetryable && retryAfterSeconds !== undefined && (
        <p>It makes sense to wait {wait(retryAfterSeconds)}.</p>
      )}
      {isRetryable && (
        <button type="button" onClick={onRetry} disabled={isRetrying}>
          {isRetrying ? 'Trying…' : 'Try again'}
        </button>
      )}
      {code && <code>{code}</code>}
    </div>
  );
}

/** `45 seconds`, `2 hours`. */
function wait(seconds: number): string {
  return seconds < 120 ? `${Math.ceil(seconds)} seconds` : ago(0, seconds * 1000).replace(' ago', '');
}
