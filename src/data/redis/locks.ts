import { ApiError } from '../../domain/errors.ts';
import type { RedisConnection } from './connection/redisConnection.ts';
import { renewLocks } from './scripts/renewLocks.ts';

/** How often a replica checks whether a page that another call is fetching has arrived. */
export const WAIT_MS = 40;
/** The longest that a lock lasts without being renewed. */
export const MAX_LOCK_MS = 3000;
const MIN_LOCK_MS = 500;

/** How long a lock lasts without being renewed, where an attempt may take `attemptMs`. */
export function toLockMs(attemptMs: number): number {
  return Math.max(MIN_LOCK_MS, Math.min(attemptMs, MAX_LOCK_MS));
}

/** Locks that are being renewed. */
interface KeptLocks {
  /** Aborted, with `lost`, when one of them was lost. */
  readonly signal: AbortSignal;
  readonly lost: ApiError;
  /** Ends the renewal. */
  readonly stop: () => void;
}

/** Renews locks until it is stopped, or one of them is lost. */
export function keepLocks(
  { run }: RedisConnection,
  lock: { readonly locks: readonly string[]; readonly token: string; readonly lockMs: number },
): KeptLocks {
  const lost = new ApiError('UPSTREAM_UNAVAILABLE');
  const controller = new AbortController();
  const renewal = setInterval(() => {
    renewLocks(run, lock).then(
      (areHeld) => {
        if (!areHeld) controller.abort(lost);
      },
      () => undefined,
    );
  }, lock.lockMs / 4);
  return { signal: controller.signal, lost, stop: () => clearInterval(renewal) };
}

/**
 * Creates the function that releases locks. A release that fails because Redis went down is repeated once Redis is up:
 * otherwise the other replicas would wait until the locks expire. Resolves to the result of the release, or to
 * `otherwise` if it failed.
 */
export function createLockReleases(
  redis: RedisConnection,
): <T>(release: () => Promise<T>, otherwise: T) => Promise<T> {
  const pending: (() => Promise<unknown>)[] = [];
  redis.onUp(() => {
    for (const release of pending.splice(0)) void release().catch(() => undefined);
  });
  return (release, otherwise) =>
    release().catch(() => {
      pending.push(release);
      return otherwise;
    });
}
