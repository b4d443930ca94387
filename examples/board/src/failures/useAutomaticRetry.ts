import { useEffect, useEffectEvent, useRef, useState } from 'react';
import type { Explanation } from './explainError.ts';

const FIRST_PAUSE_MS = 5000;
/** An attempt may cost credits, even if it fails. */
const LONGEST_PAUSE_MS = 300_000;

/**
 * Retries when that may help: after a pause that doubles with each failure, but not before the time that the error says,
 * and as soon as the browser is online again. A page in the background waits until it is visible. Gives the time of the
 * next attempt, in Unix milliseconds; undefined if there will be none.
 */
export function useAutomaticRetry(failure: Explanation | undefined, retry: () => void): number | undefined {
  const failures = useRef(0);
  const [retryAt, setRetryAt] = useState<number>();
  const onRetry = useEffectEvent(retry);

  useEffect(() => {
    if (!failure) failures.current = 0;
    if (!failure?.isRetryable) return;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** failures.current++, LONGEST_PAUSE_MS);
    const waitMs = Math.max(pauseMs, (failure.retryAfterSeconds ?? 0) * 1000);
    setRetryAt(Date.now() + waitMs);
    const retryIfVisible = (): void => {
      if (document.hidden) document.addEventListener('visibilitychange', onRetry, { once: true });
      else onRetry();
    };
    const timer = setTimeout(retryIfVisible, waitMs);
    window.addEventListener('online', onRetry, { once: true });
    return () => {
      clearTimeout(timer);
      setRetryAt(undefined);
      window.removeEventListener('online', onRetry);
      document.removeEventListener('visibilitychange', onRetry);
    };
  }, [failure]);

  return retryAt;
}
