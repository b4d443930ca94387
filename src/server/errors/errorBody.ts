import type { GraphQLFormattedError } from 'graphql';
import { toUpstreamExtension, type UpstreamSource } from '../../graphql/upstreamExtension.ts';

/** The body of a response to a request that was refused: like a GraphQL response, at no cost. */
export function toErrorBody(source: UpstreamSource, error: GraphQLFormattedError) {
  return { errors: [error], extensions: { upstream: toUpstreamExtension(source) } };
}
