import { z } from 'zod';
import { ApiError, type ErrorCode, type UpstreamResponse } from '../domain/errors.ts';
import { parseHttpDate, parseRetryAfter, RATE_LIMIT_SECONDS } from './retryAfter.ts';

/** An HTTP response of KeyAPI with its complete body. */
export interface RawResponse {
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** The header `Date`. */
  readonly date: string | undefined;
  readonly body: Uint8Array;
}

/** The body of a successful response: JSON, its payload not validated yet. */
interface Envelope {
  readonly body: unknown;
  readonly upstream: UpstreamResponse;
}

/** A whole number, or its digits as text. */
export const integer = z.union([
  z.int(),
  z
    .string()
    .regex(/^-?\d{1,15}$/)
    .transform(Number),
]);

const envelopeSchema = z.object({ code: integer });
const requestIdSchema = z.object({ requestId: z.string() });
const messageSchema = z.object({ message: z.string() });

/**
 * Reads the response to a request. The body's `code` takes precedence over the HTTP status: other than 0 it is an error
 * even with HTTP 200.
 *
 * @param now Unix milliseconds, for a `Retry-After` that is a date in a response without a date of its own.
 * @param redact Removes secrets from upstream's texts.
 * @throws {ApiError} The error of the response; `UPSTREAM_BAD_RESPONSE` when a successful one is not KeyAPI's.
 */
export function readEnvelope(response: RawResponse, now: number, redact: (text: string) => string): Envelope {
  const body = parseBody(response.body);
  const envelope = envelopeSchema.safeParse(body);
  const bodyCode = envelope.success ? envelope.data.code : null;
  const upstream: UpstreamResponse = {
    status: response.status,
    code: bodyCode,
    requestId: toRequestId(body, redact),
  };

  const failed =
    bodyCode !== null && bodyCode !== 0 ? bodyCode : isSuccess(response.status) ? null : response.status;
  if (failed !== null) {
    const code = toErrorCode(failed);
    throw new ApiError(code, {
      message: failed === 400 ? 'The data provider rejected the arguments.' : undefined,
      upstream,
      detail: toDetail(body, redact),
      retryAfterSeconds: toRetryAfter(failed, response, now),
      wasSent: true,
      // KeyAPI advises one more try after a server error.
      allowsSecondAttempt: code === 'UPSTREAM_ERROR',
    });
  }
  if (!envelope.success) throw toBadResponse(upstream, z.prettifyError(envelope.error));
  return { body, upstream };
}

/**
 * The seconds to wait that upstream asks for with a 429, 5xx or 3xx, as code in the body or as HTTP status; undefined when
 * it does not. A code from 400 to 404 says that waiting does not help.
 */
function toRetryAfter(
  code: number,
  { status, retryAfter, date }: RawResponse,
  now: number,
): number | undefined {
  const mayAsk = (asking: number): boolean => asking === 429 || [3, 5].includes(Math.floor(asking / 100));
  const isRefused = code >= 400 && code <= 404;
  if (isRefused || !(mayAsk(code) || mayAsk(status))) return undefined;
  const seconds = parseRetryAfter(retryAfter, parseHttpDate(date) ?? now);
  return code === 429 ? (seconds ?? RATE_LIMIT_SECONDS) : seconds;
}

/** The error of a successful response that cannot be read. */
export function toBadResponse(upstream: UpstreamResponse, detail: string, cause?: unknown): ApiError {
  return new ApiError('UPSTREAM_BAD_RESPONSE', { upstream, detail, wasSent: true, cause });
}

/** The JSON value of a body; undefined when the body is not UTF-8 or not JSON. */
function parseBody(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

/** True for a 2xx status. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** The error code for KeyAPI's `code`, or for the HTTP status when the body has none. */
function toErrorCode(code: number): ErrorCode {
  switch (code) {
    case 400:
      return 'BAD_USER_INPUT';
    case 401:
      return 'UPSTREAM_UNAUTHENTICATED';
    case 402:
      return 'UPSTREAM_QUOTA_EXCEEDED';
    case 403:
      return 'UPSTREAM_FORBIDDEN';
    case 429:
      return 'UPSTREAM_RATE_LIMITED';
    default:
      return code >= 500 && code <= 599 ? 'UPSTREAM_ERROR' : 'UPSTREAM_BAD_RESPONSE';
  }
}

/** Shown to clients, so only what looks like an id is accepted. */
function toRequestId(body: unknown, redact: (text: string) => string): string | null {
  const requestId = redact(requestIdSchema.safeParse(body).data?.requestId ?? '');
  return /^[\w-]{1,64}$/.test(requestId) ? requestId : null;
}

/** KeyAPI's own message, for the log. Redacted before it is cut off, which could leave half of a secret. */
function toDetail(body: unknown, redact: (text: string) => string): string {
  const message = messageSchema.safeParse(body).data?.message;
  return message === undefined ? 'no message' : redact(message).slice(0, 500);
}
