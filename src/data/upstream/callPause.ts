import type { ApiError } from '../../domain/errors.ts';

/** How long no call is made after the account was refused. */
const REFUSED_SECONDS = 60;

/**
 * For how many seconds an error holds for every call, whatever its page: a minute when the account is refused (401,
 * 402, 403), as long as upstream asks for after a 429. Undefined for an error of one page.
 */
export function callPauseSeconds({ code, retryAfterSeconds }: ApiError): number | undefined {
  switch (code) {
    case 'UPSTREAM_UNAUTHENTICATED':
    case 'UPSTREAM_QUOTA_EXCEEDED':
    case 'UPSTREAM_FORBIDDEN':
      return REFUSED_SECONDS;
    case 'UPSTREAM_RATE_LIMITED':
      return retryAfterSeconds ?? REFUSED_SECONDS;
    default:
      return undefined;
  }
}
