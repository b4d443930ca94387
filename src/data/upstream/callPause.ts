import type { Endpoint } from '../../domain/endpoint.ts';
import type { ApiError } from '../../domain/errors.ts';

/** Whose calls a limit stops: all that are paid for by the account, or those to one endpoint. */
export type LimitScope = 'account' | 'endpoint';

/** A pause that an error calls for, whatever the key of the call. */
interface CallPause {
  readonly scope: LimitScope;
  readonly seconds: number;
  /** Twice as long after each further one in a row, up to this. */
  readonly maxSeconds: number;
}

/** How long no call is made after one was refused, the first time. */
const REFUSED_SECONDS = 60;

/** The pause of the account: a minute after it was refused (401, 402), after a 429 as long as upstream asks for. */
export function toAccountPause({ code, retryAfterSeconds }: ApiError): CallPause | undefined {
  const isLimited = code === 'UPSTREAM_RATE_LIMITED';
  if (!isLimited && code !== 'UPSTREAM_UNAUTHENTICATED' && code !== 'UPSTREAM_QUOTA_EXCEEDED')
    return undefined;
  const seconds = isLimited ? (retryAfterSeconds ?? REFUSED_SECONDS) : REFUSED_SECONDS;
  return { scope: 'account', seconds, maxSeconds: seconds };
}

/**
 * The pause after a refusal, of the account or of the endpoint (`Endpoint.pauses`): at least as long as upstream asks for.
 * Undefined for any other error.
 */
export function toCallPause(
  error: ApiError,
  { pauses }: Pick<Endpoint<never>, 'pauses'>,
): CallPause | undefined {
  const { code, upstream, retryAfterSeconds = 0 } = error;
  // Without a response, it is the connection that failed.
  const isRefused = pauses.codes.includes(code) && !(code === 'UPSTREAM_BAD_RESPONSE' && !upstream);
  const seconds = Math.max(REFUSED_SECONDS, retryAfterSeconds);
  const ofEndpoint = { scope: 'endpoint', seconds, maxSeconds: pauses.maxSeconds } as const;
  return toAccountPause(error) ?? (isRefused ? ofEndpoint : undefined);
}

/** How long a pause lasts after so many refusals in a row, in seconds. */
export function toPauseSeconds({ seconds, maxSeconds }: CallPause, refusals: number): number {
  return Math.min(seconds * 2 ** (refusals - 1), maxSeconds);
}
