import type { Config } from '../config/loadConfig.ts';
import type { ApiError } from '../domain/errors.ts';
import type { Trouble } from './explainConnection.ts';
import { explainCredentials } from './explainProxy.ts';

const KEYAPI_FAILS =
  'Try again later: servers still serve cached pages. If the problem persists, contact KeyAPI';

/** Explains why a call to KeyAPI failed. */
export function explainRefusal(
  error: ApiError,
  { qps, timeoutMs, baseUrl, proxy }: Config['keyapi'],
): Trouble {
  const { code, retryAfterSeconds = 60 } = error;
  if (error.upstream?.status === 407 && proxy) return explainCredentials(proxy);
  switch (code) {
    case 'UPSTREAM_UNAUTHENTICATED':
      return explain(
        error,
        'KEYAPI_TOKEN is not accepted',
        'Copy the token from your KeyAPI account again, without quotes',
      );
    case 'UPSTREAM_QUOTA_EXCEEDED':
      return explain(
        error,
        "the account's credits are used up",
        'Top up the account. Servers try again every minute',
      );
    case 'UPSTREAM_FORBIDDEN':
      return explain(
        error,
        'this token is not allowed to read trending charts',
        'Ask KeyAPI to allow GET /v1/tiktok/trending/videos, or choose a plan that includes it',
      );
    case 'UPSTREAM_RATE_LIMITED':
      return explain(
        error,
        'too many requests at once with this token',
        `Wait ${retryAfterSeconds} s. If it happens again, set KEYAPI_QPS (${qps}) to what your plan allows, and check who else uses the token`,
      );
    case 'UPSTREAM_ERROR':
      return explain(error, 'KeyAPI responds with a server error', KEYAPI_FAILS);
    case 'UPSTREAM_TIMEOUT':
      return {
        found: `KeyAPI did not respond within KEYAPI_TIMEOUT_MS (${timeoutMs})`,
        advice: KEYAPI_FAILS,
      };
    case 'UPSTREAM_UNAVAILABLE':
      return { found: 'the connection to KeyAPI was lost before a response', advice: KEYAPI_FAILS };
    default:
      return explain(
        error,
        'the response is not what KeyAPI documents',
        `Check that KEYAPI_BASE_URL (${baseUrl.href}) is KeyAPI, and that no proxy responds in its place`,
      );
  }
}

/** Adds the status, and KeyAPI's own message if there is one, from which the client has removed the token. */
function explain({ upstream, detail }: ApiError, meaning: string, advice: string): Trouble {
  const status = upstream ? `HTTP ${upstream.status}` : 'no response';
  const code = upstream?.code && upstream.code !== upstream.status ? `, code ${upstream.code}` : '';
  const message = detail && upstream?.code ? `, it says ${JSON.stringify(detail.slice(0, 200))}` : '';
  return { found: `${meaning} (${status}${code}${message})`, advice };
}
