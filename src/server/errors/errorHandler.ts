import type { FastifyBaseLogger, FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { INTERNAL_ERROR, toRequestError } from '../../graphql/execution/formatError.ts';
import type { UpstreamSource } from '../../graphql/upstreamExtension.ts';
import type { OnServerEvent } from '../events.ts';
import { toErrorBody } from './errorBody.ts';
import { type HttpLimits, toLimitMessage } from '../http/httpLimits.ts';
import { Refusal } from './refusal.ts';
import { SECURITY_HEADERS } from '../http/securityHeaders.ts';
import { toRefusedEvent } from './refusedEvent.ts';

/** What it takes to answer a request that went wrong. */
export interface ErrorHandlerOptions {
  readonly source: UpstreamSource;
  readonly limits: HttpLimits;
  readonly onEvent: OnServerEvent;
  readonly log: FastifyBaseLogger;
}

/**
 * Answers what became no operation, as Fastify's error handler: in the form of GraphQL's answers, and never with a
 * detail of ours.
 */
export function createErrorHandler({ source, limits, onEvent, log }: ErrorHandlerOptions) {
  return (error: FastifyError | Refusal, request: FastifyRequest, reply: FastifyReply): void => {
    const refusal = error instanceof Refusal ? error : toRefusal(error, request.id);
    const { status, headers, formatted } = refusal;
    // An address that cannot be read has no route.
    if (request.routeOptions?.url === '/graphql') onEvent(toRefusedEvent(request, reply, refusal, source));
    reply
      .status(status)
      // What has no route, such as an address that cannot be read, has not got them yet.
      .headers({ ...SECURITY_HEADERS, 'cache-control': 'no-store', ...headers })
      .send(toErrorBody(source, formatted));
  };

  /** Of what Fastify could not read: too large, not JSON, of a type that is not taken. Anything else is our own defect. */
  function toRefusal(error: FastifyError, requestId: string): Refusal {
    const status = error.statusCode ?? 500;
    if (status < 500)
      return new Refusal(status, toRequestError(toLimitMessage(error, limits), 'BAD_REQUEST'));
    log.error({ err: error, requestId }, 'Unexpected error');
    return new Refusal(status, INTERNAL_ERROR);
  }
}
