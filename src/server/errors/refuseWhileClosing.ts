import type { FastifyReply, FastifyRequest } from 'fastify';
import { toErrorBody } from './errorBody.ts';
import type { ErrorHandlerOptions } from './errorHandler.ts';
import { refuseForNow } from './refusal.ts';
import { toRefusedEvent } from './refusedEvent.ts';

/** By then a load balancer has chosen another replica, or a supervisor has restarted this one. */
const RETRY_SECONDS = 1;

/** Refuses an operation that arrived while the server closes. Nothing was executed: it can safely be sent again. */
export function refuseWhileClosing(
  request: FastifyRequest,
  reply: FastifyReply,
  { source, onEvent }: Pick<ErrorHandlerOptions, 'source' | 'onEvent'>,
): void {
  const refusal = refuseForNow(
    503,
    'This server is shutting down: send the operation again',
    'SERVER_CLOSING',
    RETRY_SECONDS,
  );
  onEvent(toRefusedEvent(request, reply, refusal, source));
  void reply.status(refusal.status).headers(refusal.headers).send(toErrorBody(source, refusal.formatted));
}
