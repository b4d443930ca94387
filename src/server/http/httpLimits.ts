import type { FastifyError, FastifyHttpOptions } from 'fastify';

/** Limits of one request, and of the connection that it arrives on. */
export interface HttpLimits {
  readonly bodyBytes: number;
  /** Of the request line and the headers together. */
  readonly headerBytes: number;
  /** From the first byte to the last. */
  readonly requestMs: number;
  /** How long a connection may stay idle between two requests. */
  readonly keepAliveMs: number;
}

/** How often Node checks for requests that take too long: they are cut off at most this much later. */
const CHECK_MS = 1000;

/**
 * The limits as options of Fastify and Node. Without the last two, Node checks the time only twice a minute, or not at
 * all.
 */
export function toFastifyLimits({ headerBytes, requestMs, keepAliveMs }: HttpLimits) {
  return {
    requestTimeout: requestMs,
    keepAliveTimeout: keepAliveMs,
    http: {
      maxHeaderSize: headerBytes,
      headersTimeout: requestMs,
      connectionsCheckingInterval: Math.min(CHECK_MS, requestMs),
    },
  } satisfies Partial<FastifyHttpOptions<never>>;
}

/** The message for an error of Fastify or Node; for a limit it names the setting. */
export function toLimitMessage(
  { code, message }: Pick<FastifyError, 'code' | 'message'>,
  limits: HttpLimits,
): string {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return `Expected headers of at most ${limits.headerBytes / 1000} kB (MAX_HEADER_KB), but got more`;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return (
        `Expected the whole request within ${limits.requestMs / 1000} s (REQUEST_TIMEOUT_SECONDS), but got only a ` +
        'part of it'
      );
    case 'FST_ERR_BAD_URL':
      return 'Expected a path with a valid percent-encoding, but got another one';
    default:
      return message;
  }
}
