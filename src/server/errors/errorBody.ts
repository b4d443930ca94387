import type { GraphQLFormattedError } from 'graphql';
import { toUpstreamExtension, type UpstreamSource } from '../../graphql/upstreamExtension.ts';

/** The answer to what became no operation: in the form of GraphQL's, for nothing. */
export function toErrorBody(source: UpstreamSource, error: GraphQLFormattedError) {
  return { errors: [error], extensions: { upstream: toUpstreamExtension(source) } };
}
