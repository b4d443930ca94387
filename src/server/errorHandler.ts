import type { FastifyBaseLogger, FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { INTERNAL_ERROR, toRequestError } from '../graphql/formatError.ts';
import type { UpstreamSource } from '../graphql/upstreamExtension.ts';
import { toErrorBody } from './protection/errorBody.ts';
import { type HttpLimits, toLimitMessage } from './protection/httpLimits.ts';
import { Refusal } from './protection/refusal.ts';
import { SECURITY_HEADERS } from './protection/securityHeaders.ts';

/** What it takes to answer a request that went wrong. */
export interface ErrorHandlerOptions {
  readonly source: UpstreamSource;
  readonly limits: HttpLimits;
  readonly log: FastifyBaseLogger;
}

/**
 * Answers what became no operation, as Fastify's error handler: in the form of GraphQL's answers, and never with a
 * detail of ours.
 */
export function createErrorHandler({ source, limits, log }: ErrorHandlerOptions) {
  return (error: FastifyError | Refusal, _request: FastifyRequest, reply: FastifyReply): void => {
    const { status, headers, formatted } = error instanceof Refusal ? error : toRefusal(error);
    reply
      .status(status)
      // What has no route, such as an address that cannot be read, has not got them yet.
      .headers({ ...SECURITY_HEADERS, 'cache-control': 'no-store', ...headers })
      .send(toErrorBody(source, formatted));
  };

  /** Of what Fastify could not read: too large, not JSON, of a type that is not taken. Anything else is our own defect. */
  function toRefusal(error: FastifyError): Refusal {
    const status = error.statusCode ?? 500;
    if (status < 500)
      return new Refusal(status, toRequestError(toLimitMessage(error, limits), 'BAD_REQUEST'));
    log.error({ err: error }, 'Unexpected error');
    return new Refusal(status, INTERNAL_ERROR);
  }
}
