import type { Config } from '../config/loadConfig.ts';
import type { ApiError } from '../domain/errors.ts';
import type { Trouble } from './connectionTrouble.ts';

const KEYAPI_FAILS = 'Try again later: servers go on with what they hold. If it lasts, write to KeyAPI';

/** Says in plain words why a call had no page for us. */
export function explainRefusal(error: ApiError, { qps, timeoutMs, baseUrl }: Config['keyapi']): Trouble {
  const { code, retryAfterSeconds = 60 } = error;
  switch (code) {
    case 'UPSTREAM_UNAUTHENTICATED':
      return say(
        error,
        'KEYAPI_TOKEN is not accepted',
        'Copy the token from your KeyAPI account once more, without quotes around it',
      );
    case 'UPSTREAM_QUOTA_EXCEEDED':
      return say(
        error,
        "the account's credits are used up",
        'Top the account up. Servers ask again every minute by themselves',
      );
    case 'UPSTREAM_FORBIDDEN':
      return say(
        error,
        'this token may not read trending charts',
        'Have KeyAPI allow it GET /v1/tiktok/trending/videos, or take a plan that does',
      );
    case 'UPSTREAM_RATE_LIMITED':
      return say(
        error,
        'too many requests at once with this token',
        `Wait ${retryAfterSeconds} s. If it comes again, set KEYAPI_QPS (${qps}) to what your plan allows, and see who else has the token`,
      );
    case 'UPSTREAM_ERROR':
      return say(error, 'KeyAPI itself fails', KEYAPI_FAILS);
    case 'UPSTREAM_TIMEOUT':
      return {
        found: `KeyAPI has not answered within KEYAPI_TIMEOUT_MS (${timeoutMs})`,
        advice: KEYAPI_FAILS,
      };
    case 'UPSTREAM_UNAVAILABLE':
      return { found: 'the connection to KeyAPI broke before an answer', advice: KEYAPI_FAILS };
    default:
      return say(
        error,
        'what answers does not speak as KeyAPI does',
        `See that KEYAPI_BASE_URL (${baseUrl.href}) is KeyAPI, and that no proxy answers in its place`,
      );
  }
}

/** With the status, and KeyAPI's own words where there are any; the client has taken the token out of them. */
function say({ upstream, detail }: ApiError, meaning: string, advice: string): Trouble {
  const status = upstream ? `HTTP ${upstream.status}` : 'no answer';
  const code = upstream?.code && upstream.code !== upstream.status ? `, code ${upstream.code}` : '';
  const words = detail && upstream?.code ? `, it says ${JSON.stringify(detail.slice(0, 200))}` : '';
  return { found: `${meaning} (${status}${code}${words})`, advice };
}
