import type { ApiError } from '../../../domain/errors.ts';
import type { PageKey } from '../../../domain/page.ts';
import { encodeError } from './errorRecord.ts';
import failureLua from './failure.lua';
import lock from './lock.lua';
import { keyOfFailure, keyOfLock, keyOfPage } from './redisKeys.ts';
import releaseLockLua from './releaseLock.lua';
import { defineScript, type RunScript } from './script.ts';

const script = defineScript('releaseLock', failureLua, lock, releaseLockLua);

/** Why a page could not be fetched, which is remembered. */
interface PageFailure {
  readonly error: ApiError;
  /** How long: twice as long with each further failure, up to `maxMs`. */
  readonly firstMs: number;
  readonly maxMs: number;
  /** True when upstream does not accept requests for the page. */
  readonly isRefused: boolean;
}

/** Releases the lock of a page that was not fetched; false when it was lost. */
export async function releaseLock(
  run: RunScript,
  options: {
    readonly page: PageKey;
    readonly token: string;
    readonly failure: PageFailure | undefined;
  },
): Promise<boolean> {
  const { page, token, failure } = options;
  const keys = [keyOfPage(page), keyOfLock(page), keyOfFailure(page)];
  const memory = failure
    ? [encodeError(failure.error), failure.firstMs, failure.maxMs, failure.isRefused]
    : [];
  const args = [token, ...memory];
  const [wasHeld] = await run(script, keys, args);
  return wasHeld === 1;
}
