import type { ApiError } from '../../../domain/errors.ts';
import type { PageKey } from '../../../domain/page.ts';
import claimPageLua from './claimPage.lua';
import { decodeError } from './errorRecord.ts';
import failure from './failure.lua';
import lock from './lock.lua';
import pageHeader from './pageHeader.lua';
import { keyOfFailure, keyOfLock, keyOfPage } from './redisKeys.ts';
import { defineScript, type RunScript } from './script.ts';

const script = defineScript('claimPage', pageHeader, failure, lock, claimPageLua);

/** What became of a claim. */
type Claim =
  /** The page is newer than the known copy. */
  | { readonly type: 'page'; readonly value: Buffer }
  /** Fetching it failed a moment ago; the error is undefined when it cannot be read. */
  | { readonly type: 'failure'; readonly error: ApiError | undefined }
  /** Another replica is fetching it. `sequence`: of the copy in Redis; 0 when there is none. */
  | { readonly type: 'locked'; readonly sequence: number }
  /** The caller may fetch it. */
  | { readonly type: 'granted' };

/** Asks for the right to fetch a page. An expired copy in Redis is returned only to a caller that has waited for it. */
export async function claimPage(
  run: RunScript,
  options: {
    readonly page: PageKey;
    readonly knownSequence: number;
    readonly token: string;
    readonly lockMs: number;
    /** A lock that expires later is not one of ours. */
    readonly maxLockMs: number;
    /** The longest time for which a failure is cached, likewise. */
    readonly maxFailureMs: number;
    readonly hasWaited: boolean;
    readonly ignoresFailure: boolean;
  },
): Promise<Claim> {
  const { page, knownSequence, token, lockMs, maxLockMs, maxFailureMs, hasWaited, ignoresFailure } = options;
  const keys = [keyOfPage(page), keyOfLock(page), keyOfFailure(page)];
  const args = [knownSequence, token, lockMs, maxLockMs, maxFailureMs, hasWaited, ignoresFailure];
  const [type, result] = await run(script, keys, args);
  switch (String(type)) {
    case 'page':
      return { type: 'page', value: result as Buffer };
    case 'failure':
      return { type: 'failure', error: decodeError(String(result)) };
    case 'locked':
      return { type: 'locked', sequence: Number(result) };
    default:
      return { type: 'granted' };
  }
}
