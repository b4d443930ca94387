import type { ApiError } from '../../../domain/errors.ts';
import type { NegativeTtl } from '../../upstream/negativeTtl.ts';
import { encodeError } from './errorRecord.ts';
import failureLua from './failure.lua';
import lock from './lock.lua';
import { keyOfStatsFailure, keyOfStatsLock } from './redisKeys.ts';
import releaseStatsLua from './releaseStats.lua';
import { defineScript, type RunScript } from './script.ts';

const script = defineScript('releaseStats', failureLua, lock, releaseStatsLua);

/** A video whose numbers were not fetched. */
export interface ReleasedVideo {
  readonly itemId: string;
  /** Why, and for how long that is remembered; undefined when it is not about the video. */
  readonly failure: (NegativeTtl & { readonly error: ApiError }) | undefined;
}

/** Releases the locks of videos whose numbers were not fetched; returns those whose lock was lost. */
export async function releaseStats(
  run: RunScript,
  { videos, token }: { readonly videos: readonly ReleasedVideo[]; readonly token: string },
): Promise<string[]> {
  const keys = videos.flatMap(({ itemId }) => [keyOfStatsLock(itemId), keyOfStatsFailure(itemId)]);
  const args = videos.flatMap(({ failure }) => [
    failure && encodeError(failure.error),
    failure?.firstMs,
    failure?.maxMs,
  ]);
  const wereHeld = await run(script, keys, [token, ...args]);
  return videos.flatMap(({ itemId }, index) => (wereHeld[index] === 1 ? [] : [itemId]));
}
