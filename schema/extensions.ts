/**
 * The types of `extensions` in this API's responses, which a GraphQL schema does not describe. Copy this file into your client: it
 * imports nothing. Tests compare it with what the server sends, and with docs/errors.md.
 */

/** `extensions` of every response, also of one that is refused. */
export interface ResponseExtensions {
  readonly upstream: UpstreamExtension;
}

/** What a response cost. Cached ones cost nothing, and those to a GET that shared caches may store say that they cost nothing. */
export interface UpstreamExtension {
  /** Where the data comes from: KeyAPI, or the emulator, whose data is made up. */
  readonly source: 'keyapi' | 'emulator';
  /** Requests to KeyAPI that this operation sent, failures and retries included. */
  readonly requests: number;
  /** What these requests cost, in KeyAPI's credits: a whole number. */
  readonly credits: number;
  /** Pages of charts that this operation used, 20 ranks each. */
  readonly pages: OriginCounts;
  /** Videos whose `stats` this operation used; absent when it selected none. */
  readonly stats?: OriginCounts;
}

/** How many pages, or videos, by where they came from. */
export interface OriginCounts {
  /** From the cache, within their time to live. */
  readonly cached: number;
  /** From the cache, past their time to live. */
  readonly stale: number;
  /** In flight already, at the expense of another operation. */
  readonly shared: number;
  /** Fetched from KeyAPI by this operation, which paid for them. */
  readonly fetched: number;
}

/** `extensions` of each entry in `errors`. */
export interface ErrorExtensions {
  /** What went wrong. New codes may be added: treat one that you do not know by `retryable`. */
  readonly code: ErrorCode;
  /** Whether the same operation may succeed later. */
  readonly retryable: boolean;
  /** Seconds to wait before a retry; absent when that is not known. */
  readonly retryAfterSeconds?: number;
  /** On how many videos of this connection or list `stats` is unavailable; absent when the error is about something else. */
  readonly videos?: number;
  /** KeyAPI's response; absent when the error is not KeyAPI's, or when KeyAPI did not respond. */
  readonly upstream?: UpstreamResponse;
}

/** KeyAPI's response to a failed request. */
export interface UpstreamResponse {
  /** HTTP status. */
  readonly status: number;
  /** `code` in the body; null when it has none. */
  readonly code: number | null;
  /** KeyAPI's id of the request, for its support; null when the body has none. */
  readonly requestId: string | null;
}

/** `extensions.code` of an error: docs/errors.md says when each occurs, and what to do. */
export type ErrorCode =
  | 'BAD_USER_INPUT'
  | 'UPSTREAM_UNAUTHENTICATED'
  | 'UPSTREAM_FORBIDDEN'
  | 'UPSTREAM_QUOTA_EXCEEDED'
  | 'UPSTREAM_RATE_LIMITED'
  | 'UPSTREAM_ERROR'
  | 'UPSTREAM_TIMEOUT'
  | 'UPSTREAM_UNAVAILABLE'
  | 'UPSTREAM_BAD_RESPONSE'
  | 'CREDIT_BUDGET_EXHAUSTED'
  | 'OPERATION_TOO_EXPENSIVE'
  | 'DOCUMENT_TOO_LARGE'
  | 'GRAPHQL_PARSE_FAILED'
  | 'GRAPHQL_VALIDATION_FAILED'
  | 'OPERATION_RESOLUTION_FAILURE'
  | 'UNAUTHENTICATED'
  | 'RATE_LIMITED'
  | 'OVERLOADED'
  | 'SERVER_CLOSING'
  | 'BAD_REQUEST'
  | 'PERSISTED_QUERY_NOT_FOUND'
  | 'PERSISTED_QUERY_ID_REQUIRED'
  | 'INTERNAL_SERVER_ERROR';
