import type { FastifyBaseLogger, FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { INTERNAL_ERROR, toRequestError } from '../../graphql/execution/formatError.ts';
import type { UpstreamSource } from '../../graphql/upstreamExtension.ts';
import type { OnServerEvent } from '../events.ts';
import { type HttpLimits, toLimitMessage } from '../http/httpLimits.ts';
import { toErrorBody } from './errorBody.ts';
import { Refusal } from './refusal.ts';
import { toRefusedEvent } from './refusedEvent.ts';

/** Dependencies of the error handler. */
export interface ErrorHandlerOptions {
  readonly source: UpstreamSource;
  readonly limits: HttpLimits;
  readonly onEvent: OnServerEvent;
  readonly log: FastifyBaseLogger;
}

/**
 * Creates Fastify's error handler. It responds to requests that were refused, or failed before an operation was
 * executed, in the form of a GraphQL response, and never reveals internal details.
 */
export function createErrorHandler({ source, limits, onEvent, log }: ErrorHandlerOptions) {
  return (error: FastifyError | Refusal, request: FastifyRequest, reply: FastifyReply): void => {
    const refusal = error instanceof Refusal ? error : toRefusal(error, request.id);
    const { status, headers, formatted } = refusal;
    // A malformed URL has no route.
    if (request.routeOptions?.url === '/graphql') onEvent(toRefusedEvent(request, reply, refusal, source));
    reply
      .status(status)
      // The response that failed may have set another one.
      .headers({ 'cache-control': 'no-store', ...headers })
      .send(toErrorBody(source, formatted));
  };

  /**
   * Errors below 500 are Fastify's: the body is too large, not JSON, or of another type. All others are defects of this
   * server.
   */
  function toRefusal(error: FastifyError, requestId: string): Refusal {
    const status = error.statusCode ?? 500;
    if (status < 500)
      return new Refusal(status, toRequestError(toLimitMessage(error, limits), 'BAD_REQUEST'));
    log.error({ err: error, requestId }, 'Unexpected error');
    return new Refusal(status, INTERNAL_ERROR);
  }
}
