import type { ApiError } from '../../domain/errors.ts';

/** How long calls are held when the account is refused, until upstream is asked again. */
const REFUSED_SECONDS = 60;

/**
 * For how many seconds an answer refuses every call, whatever its page: a minute when the account is refused (401,
 * 402, 403), as long as it asks for after a 429. Undefined when it speaks of one page alone.
 */
export function secondsRefused({ code, retryAfterSeconds }: ApiError): number | undefined {
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
