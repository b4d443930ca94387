import type { ApiError } from '../../../domain/errors.ts';
import { MAX_BATCH } from '../../../domain/videoStats.ts';
import claimStatsLua from './claimStats.lua';
import { decodeError } from './errorRecord.ts';
import failure from './failure.lua';
import lock from './lock.lua';
import { keysOfStats } from './redisKeys.ts';
import { defineScript, type RunScript } from './script.ts';
import statsHeader from './statsHeader.lua';

const script = defineScript('claimStats', statsHeader, failure, lock, claimStatsLua);

/** A claim on the numbers of a video, and what earlier ones have found. */
export interface StatsClaim {
  readonly itemId: string;
  /** True when upstream refuses requests for this video, as far as this replica knows. */
  readonly isRefused: boolean;
  /** Once another request is waited for: when the value was fetched that is no news, 0 when there was none. */
  readonly waitedSince?: number | undefined;
  /** A value that cannot be read: it counts as absent. */
  readonly unreadable?: Buffer | undefined;
  /** True when the failure that is cached cannot be read. */
  readonly ignoresFailure?: boolean | undefined;
}

/** What became of a claim. */
type ClaimedStats =
  /** Fresh numbers, or those that were waited for. */
  | { readonly type: 'value'; readonly value: Buffer }
  /** Fetching them failed a moment ago; the error is undefined when it cannot be read. */
  | { readonly type: 'failure'; readonly error: ApiError | undefined }
  /** Another request is fetching them. `fetchedAt`: of the value in Redis; 0 when there is none. */
  | { readonly type: 'locked'; readonly fetchedAt: number }
  /** The caller may fetch them; alone, when upstream refuses requests for this video. */
  | { readonly type: 'granted'; readonly isRefused: boolean };

/** What became of a request's claims. */
export interface ClaimedBatch {
  /** In the order of the claims. */
  readonly outcomes: readonly ClaimedStats[];
  /** Those of the others that the caller may fetch too, since they fill a batch. */
  readonly others: readonly string[];
}

/** Asks for the right to fetch the numbers of videos, and of as many others as fill the last batch. */
export async function claimStats(
  run: RunScript,
  options: {
    readonly claims: readonly StatsClaim[];
    readonly others: readonly string[];
    readonly token: string;
    readonly lockMs: number;
    /** A lock that expires later is not one of ours. */
    readonly maxLockMs: number;
    /** The longest time for which a failure is cached, likewise. */
    readonly maxFailureMs: number;
    /** The longest time for which numbers are fresh, and those of a video that upstream refuses. */
    readonly ttlMs: number;
    readonly refusedMs: number;
  },
): Promise<ClaimedBatch> {
  const { claims, others, token, lockMs, maxLockMs, maxFailureMs, ttlMs, refusedMs } = options;
  const keys = [...claims.map(({ itemId }) => itemId), ...others].flatMap(keysOfStats);
  const common = [token, lockMs, maxLockMs, maxFailureMs, ttlMs, refusedMs, MAX_BATCH, claims.length];
  const ofClaims = claims.flatMap((claim) => [
    claim.waitedSince,
    claim.unreadable,
    claim.ignoresFailure,
    claim.isRefused,
  ]);
  const reply = await run(script, keys, [...common, ...ofClaims]);
  const positions = reply.slice(claims.length * 2);
  return {
    outcomes: claims.map((_claim, index) => toOutcome(reply[index * 2], reply[index * 2 + 1])),
    others: positions.flatMap((position) => others[Number(position) - 1] ?? []),
  };
}

function toOutcome(word: unknown, detail: unknown): ClaimedStats {
  const type = String(word);
  switch (type) {
    case 'value':
      return { type, value: detail as Buffer };
    case 'failure':
      return { type, error: decodeError(String(detail)) };
    case 'locked':
      return { type, fetchedAt: Number(detail) };
    default:
      return { type: 'granted', isRefused: detail === 1 };
  }
}
