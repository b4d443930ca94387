import { useEffect, useEffectEvent, useLayoutEffect, useRef, useState } from 'react';
import type { Explanation } from './explainError.ts';

const FIRST_PAUSE_MS = 5000;
/** An attempt may cost credits, even if it fails. */
const LONGEST_PAUSE_MS = 300_000;
/** Then somebody has to ask: about 35 minutes after the first failure. */
const MAX_ATTEMPTS = 10;

/**
 * Retries when that may help: after a pause that doubles with each failure, but not before the time that the error says. A
 * page in the background waits until it is visible. If there was no response at all, which costs nothing, it also retries
 * when the browser is online again, and never stops.
 * @param progress Anything that changes whenever an attempt has succeeded.
 * @returns The time of the next attempt, in Unix milliseconds; undefined if there will be none.
 */
export function useAutomaticRetry(
  failure: Explanation | undefined,
  retry: () => void,
  progress: unknown,
): number | undefined {
  const attempts = useRef(0);
  const [retryAt, setRetryAt] = useState<number>();
  const onRetry = useEffectEvent(retry);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each success starts anew.
  useEffect(() => {
    attempts.current = 0;
  }, [progress]);

  // Before the browser paints, so that the failure is shown with the time.
  useLayoutEffect(() => {
    if (!failure?.isRetryable) return;
    const isUnanswered = failure.code === undefined;
    if (attempts.current >= MAX_ATTEMPTS && !isUnanswered) return;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** attempts.current++, LONGEST_PAUSE_MS);
    const waitMs = Math.max(pauseMs, (failure.retryAfterSeconds ?? 0) * 1000);
    setRetryAt(Date.now() + waitMs);
    const retryWhenVisible = (): void => {
      if (document.hidden) document.addEventListener('visibilitychange', onRetry, { once: true });
      else onRetry();
    };
    const timer = setTimeout(retryWhenVisible, waitMs);
    if (isUnanswered) window.addEventListener('online', retryWhenVisible, { once: true });
    return () => {
      clearTimeout(timer);
      setRetryAt(undefined);
      window.removeEventListener('online', retryWhenVisible);
      document.removeEventListener('visibilitychange', onRetry);
    };
  }, [failure]);

  return retryAt;
}
