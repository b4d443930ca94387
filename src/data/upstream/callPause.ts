import type { ApiError } from '../../domain/errors.ts';

/** Whose calls a limit stops: all that are paid for by the account, or those to one endpoint. */
export type LimitScope = 'account' | 'endpoint';

/** A pause that an error calls for, whatever the key of the call. */
interface CallPause {
  readonly scope: LimitScope;
  readonly seconds: number;
}

/** How long no call is made after one was refused. */
const REFUSED_SECONDS = 60;

/**
 * The pause after a refusal: a minute when the account is refused (401, 402), or the endpoint (403), and as long as
 * upstream asks for after a 429, which is about the account. Undefined for any other error.
 */
export function toCallPause({ code, retryAfterSeconds }: ApiError): CallPause | undefined {
  switch (code) {
    case 'UPSTREAM_UNAUTHENTICATED':
    case 'UPSTREAM_QUOTA_EXCEEDED':
      return { scope: 'account', seconds: REFUSED_SECONDS };
    case 'UPSTREAM_RATE_LIMITED':
      return { scope: 'account', seconds: retryAfterSeconds ?? REFUSED_SECONDS };
    case 'UPSTREAM_FORBIDDEN':
      return { scope: 'endpoint', seconds: REFUSED_SECONDS };
    default:
      return undefined;
  }
}
