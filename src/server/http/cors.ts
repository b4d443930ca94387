import type { FastifyReply, FastifyRequest } from 'fastify';
import { toHeaderRecord } from './headerList.ts';

/** Response headers that scripts of other origins may read, besides those that browsers always let them read. */
const EXPOSED = [
  'X-Request-Id',
  'Retry-After',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'ETag',
].join(', ');

/** How long browsers may remember the response to a preflight. */
const MAX_AGE_SECONDS = 3600;

/** The cross-origin rules of one server (the CORS protocol of the Fetch standard). */
export interface Cors {
  /** False without allowed origins: then no headers are sent, and browsers keep responses from scripts of other sites. */
  readonly isEnabled: boolean;
  /**
   * Adds the headers of every response, by the request's `Origin`; also of refusals, so that scripts can read why.
   *
   * @param vary Other headers of the request that the response depends on.
   */
  readonly addHeaders: (to: string[], origin: string | undefined, vary?: string) => void;
  /** The same headers by name. */
  readonly toHeaders: (origin: string | undefined) => Readonly<Record<string, string>>;
  /** Responds to a request that is a preflight, whatever its path; returns whether it was one. */
  readonly respond: (request: FastifyRequest, reply: FastifyReply) => boolean;
}

/** Creates the rules for scripts of these origins. Credentials are never allowed: there are no cookies. */
export function createCors(origins: readonly (string | RegExp)[]): Cors {
  const isEnabled = origins.length > 0;

  const isAllowed = (sent: string): boolean =>
    origins.some((origin) => (typeof origin === 'string' ? origin === sent : origin.test(sent)));

  function addHeaders(to: string[], origin: string | undefined, vary?: string): void {
    if (!isEnabled) {
      if (vary !== undefined) to.push('vary', vary);
      return;
    }
    to.push('vary', vary === undefined ? 'Origin' : `Origin, ${vary}`);
    if (origin !== undefined && isAllowed(origin)) to.push('access-control-allow-origin', origin);
    to.push('access-control-expose-headers', EXPOSED);
  }

  return {
    isEnabled,
    addHeaders,
    toHeaders: (origin) => {
      const list: string[] = [];
      addHeaders(list, origin);
      return toHeaderRecord(list);
    },
    respond: (request, reply) => {
      if (!isEnabled || !isPreflight(request)) return false;
      const requested = request.headers['access-control-request-headers'];
      reply
        .code(204)
        .headers({
          vary: 'Origin, Access-Control-Request-Headers',
          'access-control-allow-methods': 'GET, POST',
          ...(requested !== undefined && { 'access-control-allow-headers': requested }),
          'access-control-max-age': String(MAX_AGE_SECONDS),
          // Without it, Safari waits for a body.
          'content-length': '0',
        })
        .send();
      return true;
    },
  };
}

/** Any other OPTIONS request is one like that of a monitor: it asks which methods there are. */
function isPreflight({ method, headers }: FastifyRequest): boolean {
  return (
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  );
}
