import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { UpstreamSource } from '../../graphql/upstreamExtension.ts';
import { toErrorBody } from './errorBody.ts';
import type { ToRefusal } from './toRefusal.ts';

/**
 * Creates Fastify's error handler. It responds to requests that failed before their route was called, in the form of a
 * GraphQL response, and never reveals internal details.
 */
export function createErrorHandler(source: UpstreamSource, toRefusal: ToRefusal) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    const { status, headers, formatted } = toRefusal(error, request.id);
    reply
      .status(status)
      // The response that failed may have set another one.
      .headers({ 'cache-control': 'no-store', ...headers })
      .send(toErrorBody(source, formatted));
  };
}
