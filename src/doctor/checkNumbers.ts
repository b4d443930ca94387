import type { Config } from '../config/loadConfig.ts';
import { ApiError, type ErrorCode } from '../domain/errors.ts';
import type { VideoStats } from '../domain/videoStats.ts';
import type { KeyapiClient } from '../keyapi/client.ts';
import { videoAnalytics } from '../keyapi/endpoints/videoAnalytics.ts';
import { CALL } from './checkToken.ts';
import { explainRefusal } from './explainRefusal.ts';
import type { Finding } from './finding.ts';

const part = 'Numbers';

/** Buys the numbers on one video: 1 credit. */
export async function checkNumbers(
  client: KeyapiClient,
  settings: Config['keyapi'],
  itemId: string,
): Promise<Finding> {
  try {
    const stats = await client.source(videoAnalytics)([itemId], CALL);
    return toFinding(stats.get(itemId) ?? null, itemId);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === 'UPSTREAM_FORBIDDEN') return NOT_INCLUDED;
    const { found, advice } = explainRefusal(error, settings);
    // The chart call has just succeeded, so the problem is this endpoint, unless it is the account.
    return { part, state: 'fix', found, advice: ACCOUNT_ERRORS.has(error.code) ? advice : ENDPOINT_ADVICE };
  }
}

/** Errors that are about the account, whatever the endpoint. */
const ACCOUNT_ERRORS: ReadonlySet<ErrorCode> = new Set([
  'UPSTREAM_UNAUTHENTICATED',
  'UPSTREAM_QUOTA_EXCEEDED',
  'UPSTREAM_RATE_LIMITED',
]);
const ENDPOINT_ADVICE =
  'Try again later: charts work, and numbers come from the cache or are null. If the problem persists, ask KeyAPI ' +
  'about GET /v1/tiktok/video/detail/analytics';

/** The server works without them, so there is nothing to fix. */
const NOT_INCLUDED: Finding = {
  part,
  state: 'note',
  found:
    'this token is not allowed to read numbers on videos (HTTP 403): charts work, the field stats is null',
  advice:
    'For numbers, ask KeyAPI to allow GET /v1/tiktok/video/detail/analytics, or choose a plan that includes it',
};

function toFinding(stats: VideoStats | null, itemId: string): Finding {
  if (stats && [stats.views, stats.likes, stats.comments, stats.shares].some((count) => count !== null)) {
    return { part, state: 'ok', found: 'accepted: KeyAPI sent numbers on a video of that chart' };
  }
  return {
    part,
    state: 'note',
    found: `accepted, but KeyAPI ${stats ? 'sent no count of' : 'does not know'} video ${itemId} of that chart: its numbers are null`,
    advice: 'If many videos lack numbers, ask KeyAPI which videos it has numbers on',
  };
}
