import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLFormattedError } from 'graphql';
import { toUpstreamExtension, type UpstreamSource } from '../../graphql/upstreamExtension.ts';
import type { AnswerEvent } from '../events.ts';
import { identify } from '../http/requestIdentity.ts';

/** What is told of a request to `/graphql` that became no operation. */
export function toRefusedEvent(
  request: FastifyRequest,
  reply: FastifyReply,
  { status, formatted }: { readonly status: number; readonly formatted: GraphQLFormattedError },
  source: UpstreamSource,
): AnswerEvent {
  return {
    type: 'answer',
    origin: 'refused',
    status,
    name: undefined,
    outcome: 'error',
    codes: [String(formatted.extensions?.code)],
    cost: toUpstreamExtension(source),
    durationMs: reply.elapsedTime,
    request: identify(request),
  };
}
