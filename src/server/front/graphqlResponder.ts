import type { FastifyInstance } from 'fastify';
import type { ApiKey } from '../protection/apiKeys.ts';
import { createResponder, type Responder, type ResponderOptions } from '../responses/createResponder.ts';
import { withEvents } from '../responses/withEvents.ts';
import type { TrustedDocuments } from '../trustedDocuments/trustedDocuments.ts';
import { withTrustedDocuments } from '../trustedDocuments/withTrustedDocuments.ts';

/** Dependencies and settings of the responder. */
export interface GraphqlResponderOptions extends Omit<ResponderOptions, 'parse' | 'isPrivate'> {
  /** Shared caches must not store responses for which a key is needed. */
  readonly apiKeys: readonly ApiKey[] | undefined;
  /** Documents that clients may name by hash; undefined where there are none. */
  readonly trusted: TrustedDocuments | undefined;
  /** Wraps the responder, its events included. */
  readonly withSpans: ((respond: Responder) => Responder) | undefined;
  /** In milliseconds. */
  readonly monotonic: () => number;
}

/** Creates the responder to requests that are admitted, with its events and spans. */
export function createGraphqlResponder(server: FastifyInstance, options: GraphqlResponderOptions): Responder {
  const { trusted, apiKeys, withSpans } = options;
  const responder = createResponder({
    ...options,
    startOperation: () => withTrustedDocuments(options.startOperation(), trusted),
    isPrivate: apiKeys !== undefined,
    parse: createParser(server),
  });
  const observed = withEvents(responder, options);
  return withSpans?.(observed) ?? observed;
}

/** Fastify's own JSON parser, which refuses keys that would change an object's prototype. */
function createParser(server: FastifyInstance): ResponderOptions['parse'] {
  const parse = server.getDefaultJsonParser('error', 'error');
  return (body) => {
    let parsed: unknown;
    // It needs no request.
    void parse(undefined as never, body.toString(), (error, value) => {
      if (error) throw error;
      parsed = value;
    });
    return parsed;
  };
}
