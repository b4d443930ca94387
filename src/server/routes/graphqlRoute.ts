import type { FastifyInstance } from 'fastify';
import { type AdmissionOptions, createAdmission } from '../protection/admission.ts';
import {
  createResponder,
  type GraphqlRequest,
  type Responder,
  type ResponderOptions,
} from '../responses/createResponder.ts';
import { sendResponse } from '../responses/sendResponse.ts';
import { withEvents } from '../responses/withEvents.ts';
import type { TrustedDocuments } from '../trustedDocuments/trustedDocuments.ts';
import { withTrustedDocuments } from '../trustedDocuments/withTrustedDocuments.ts';

/** Dependencies and settings of `/graphql`. */
export interface GraphqlRouteOptions extends Omit<ResponderOptions, 'parse' | 'isPrivate'>, AdmissionOptions {
  /** Documents that clients may name by hash; undefined where there are none. */
  readonly trusted: TrustedDocuments | undefined;
  /** Wraps the responder, its events included. */
  readonly withSpans: ((respond: Responder) => Responder) | undefined;
  /** The clock that pages expire by, in milliseconds. */
  readonly monotonic: () => number;
}

/** Serves `/graphql`. */
export function registerGraphqlRoute(server: FastifyInstance, options: GraphqlRouteOptions): void {
  const { trusted, apiKeys, withSpans, monotonic } = options;
  const responder = createResponder({
    ...options,
    startOperation: () => withTrustedDocuments(options.startOperation(), trusted),
    isPrivate: apiKeys !== undefined,
    parse: createParser(server),
  });
  const observed = withEvents(responder, options);
  const respond = withSpans?.(observed) ?? observed;

  // Bodies stay bytes: a cached response is found by them, without parsing.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });

  server.decorateRequest('keyName', undefined);
  server.route({
    method: ['GET', 'HEAD', 'POST'],
    // Fastify's own HEAD route would give a 304 a content-length.
    exposeHeadRoute: false,
    url: '/graphql',
    onRequest: createAdmission(options),
    handler: (request: GraphqlRequest, reply) => {
      const served = respond(request);
      if (!(served instanceof Promise)) {
        sendResponse(request, reply, served.response, monotonic());
        return;
      }
      return served.then((later) => {
        sendResponse(request, reply, later.response, monotonic());
        return reply;
      });
    },
  });
}

/** Fastify's own JSON parser, which refuses keys that would change an object's prototype. */
function createParser(server: FastifyInstance): ResponderOptions['parse'] {
  const parse = server.getDefaultJsonParser('error', 'error');
  return (request) => {
    let parsed: unknown;
    if (request.body === undefined) return parsed;
    void parse(request, request.body.toString(), (error, body) => {
      if (error) throw error;
      parsed = body;
    });
    return parsed;
  };
}
