import type { FastifyReply } from 'fastify';
import { toUpstreamExtension } from '../graphql/upstreamExtension.ts';
import type { GraphqlRouteOptions } from './graphqlRoute.ts';

/** By then a load balancer has found another replica, or a supervisor has started this one again. */
const RETRY_SECONDS = 1;

/** Answers an operation that came while the server closes. Nothing was executed: it can safely be sent again. */
export function refuseLate(reply: FastifyReply, source: GraphqlRouteOptions['source']): void {
  const error = {
    message: 'This server is closing: send the operation again',
    extensions: { code: 'SERVER_CLOSING', retryable: true, retryAfterSeconds: RETRY_SECONDS },
  };
  void reply
    .status(503)
    .headers({ 'retry-after': RETRY_SECONDS, 'cache-control': 'no-store' })
    .send({ errors: [error], extensions: { upstream: toUpstreamExtension(source) } });
}
