import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLFormattedError } from 'graphql';
import { toUpstreamExtension, type UpstreamSource } from '../../graphql/upstreamExtension.ts';
import type { ResponseEvent } from '../events.ts';
import { identify } from '../http/requestIdentity.ts';

/** The event of a request to `/graphql` that was refused. */
export function toRefusedEvent(
  request: FastifyRequest,
  reply: FastifyReply,
  { status, formatted }: { readonly status: number; readonly formatted: GraphQLFormattedError },
  source: UpstreamSource,
): ResponseEvent {
  return {
    type: 'response',
    origin: 'refused',
    status,
    name: undefined,
    operationType: undefined,
    outcome: 'error',
    codes: [String(formatted.extensions?.code)],
    cost: toUpstreamExtension(source),
    durationMs: reply.elapsedTime,
    request: identify(request),
  };
}
