/**
 * Codes of errors in this API: whether the same operation may succeed later, and the default message. A test compares
 * them with `docs/errors.md`.
 */
export const ERROR_CODES = {
  BAD_USER_INPUT: { retryable: false, message: 'An argument is not valid.' },
  UPSTREAM_UNAUTHENTICATED: {
    retryable: false,
    message: "The data provider did not accept this server's credentials.",
  },
  UPSTREAM_FORBIDDEN: {
    retryable: false,
    message: 'The data provider does not allow this server to read this data.',
  },
  UPSTREAM_QUOTA_EXCEEDED: {
    retryable: false,
    message: 'This server has no credits left at the data provider.',
  },
  UPSTREAM_RATE_LIMITED: { retryable: true, message: 'The data provider is limiting requests.' },
  UPSTREAM_ERROR: { retryable: true, message: 'The data provider responded with a server error.' },
  UPSTREAM_TIMEOUT: { retryable: true, message: 'The data provider did not respond in time.' },
  UPSTREAM_UNAVAILABLE: { retryable: true, message: 'The data provider is unavailable.' },
  UPSTREAM_BAD_RESPONSE: {
    retryable: true,
    message: 'The data provider sent an invalid response.',
  },
  CREDIT_BUDGET_EXHAUSTED: {
    retryable: true,
    message: 'This server has spent its credits for the day (CREDIT_BUDGET_PER_DAY).',
  },
  OPERATION_TOO_EXPENSIVE: {
    retryable: false,
    message: 'This operation could cost more credits than allowed.',
  },
  DOCUMENT_TOO_LARGE: {
    retryable: false,
    message: 'This document is larger than allowed.',
  },
} as const satisfies Record<string, { retryable: boolean; message: string }>;

/** `extensions.code` of an `ApiError`. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** KeyAPI's response to a failed call; shown to clients as `extensions.upstream`. */
export interface UpstreamResponse {
  /** HTTP status. */
  readonly status: number;
  /** `code` in the body; null when it has none. */
  readonly code: number | null;
  /** `requestId` in the body; null when it has none. */
  readonly requestId: string | null;
}

/** Details of an error beside its code. */
interface ApiErrorOptions {
  /** The message for the client; by default that of the code. */
  readonly message?: string | undefined;
  readonly upstream?: UpstreamResponse | undefined;
  /** Seconds after which a retry makes sense. */
  readonly retryAfterSeconds?: number | undefined;
  /** How many videos of a connection or list have no numbers because of it. */
  readonly videos?: number | undefined;
  /** True when a request was sent, and is paid for. */
  readonly wasSent?: boolean | undefined;
  /** True when no connection could be opened: nothing was sent or paid for, but it counts as a failure of upstream. */
  readonly hadNoConnection?: boolean | undefined;
  /** True when the call may be sent once more: it got no response, or upstream advises a retry. */
  readonly allowsSecondAttempt?: boolean | undefined;
  /** True when a response was empty although its data is cached: it is not requested again for a minute. */
  readonly isEmpty?: boolean | undefined;
  /** Only for the log, for example KeyAPI's own message; never sent to a client. */
  readonly detail?: string | undefined;
  readonly cause?: unknown;
}

/**
 * An error that clients may see: its code, message, `retryable`, `retryAfterSeconds`, `videos` and `upstream`, nothing else.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly retryable: boolean;
  readonly upstream: UpstreamResponse | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly videos: number | undefined;
  readonly wasSent: boolean;
  readonly hadNoConnection: boolean;
  readonly allowsSecondAttempt: boolean;
  readonly isEmpty: boolean;
  readonly detail: string | undefined;

  constructor(
    readonly code: ErrorCode,
    {
      message,
      upstream,
      retryAfterSeconds,
      videos,
      wasSent = false,
      hadNoConnection = false,
      allowsSecondAttempt = false,
      isEmpty = false,
      detail,
      cause,
    }: ApiErrorOptions = {},
  ) {
    super(message ?? ERROR_CODES[code].message, { cause });
    this.retryable = ERROR_CODES[code].retryable;
    this.upstream = upstream;
    this.retryAfterSeconds = retryAfterSeconds;
    this.videos = videos;
    this.wasSent = wasSent;
    this.hadNoConnection = hadNoConnection;
    this.allowsSecondAttempt = allowsSecondAttempt;
    this.isEmpty = isEmpty;
    this.detail = detail;
  }

  /** True when upstream was called and failed; false when the call was not made because of a limit of ours. */
  get isCallFailure(): boolean {
    return this.wasSent || this.hadNoConnection;
  }
}

/** The error of a successful response that is empty although its data is cached. */
export function createEmptyResponseError(message: string, detail: string): ApiError {
  return new ApiError('UPSTREAM_BAD_RESPONSE', {
    message,
    // Any other response could not have been read.
    upstream: { status: 200, code: 0, requestId: null },
    wasSent: true,
    isEmpty: true,
    detail,
  });
}

/** The error for a call that is not sent because an earlier one failed with `error`. */
export function repeatError(error: ApiError, retryAfterSeconds = error.retryAfterSeconds): ApiError {
  const { code, message, upstream } = error;
  return new ApiError(code, { message, upstream, retryAfterSeconds });
}

/** Whether the call that failed with this error was sent. Unforeseen errors count as sent: it may be paid for. */
export function wasSent(error: unknown): boolean {
  return !(error instanceof ApiError) || error.wasSent;
}
