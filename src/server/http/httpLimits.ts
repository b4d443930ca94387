import type { FastifyError, FastifyHttpOptions } from 'fastify';

/** What a request may take. */
export interface HttpLimits {
  readonly bodyBytes: number;
  /** Of the request's line and its headers together. */
  readonly headerBytes: number;
  /** From its first byte to its last. */
  readonly requestMs: number;
}

/** Node looks so often for requests that are late: they have at most so much more. */
const CHECK_MS = 1000;

/** The limits, as Fastify and Node want them. Node would look twice a minute, and only if it is given all three. */
export function toFastifyLimits({ bodyBytes, headerBytes, requestMs }: HttpLimits) {
  return {
    bodyLimit: bodyBytes,
    requestTimeout: requestMs,
    http: {
      maxHeaderSize: headerBytes,
      headersTimeout: requestMs,
      connectionsCheckingInterval: Math.min(CHECK_MS, requestMs),
    },
  } satisfies Partial<FastifyHttpOptions<never>>;
}

/** Fastify's or Node's words for what is wrong with a request; of a limit, which one it is. */
export function toLimitMessage(
  { code, message }: Pick<FastifyError, 'code' | 'message'>,
  limits: HttpLimits,
): string {
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return `Expected a body of at most ${limits.bodyBytes / 1000} kB (MAX_BODY_KB), but got more`;
    case 'HPE_HEADER_OVERFLOW':
      return `Expected headers of at most ${limits.headerBytes / 1000} kB (MAX_HEADER_KB), but got more`;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return `Expected the whole request within ${limits.requestMs / 1000} s (REQUEST_TIMEOUT_SECONDS)`;
    default:
      return message;
  }
}
