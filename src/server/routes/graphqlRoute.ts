import type { ApolloServer } from '@apollo/server';
import type { FastifyInstance } from 'fastify';
import type { OperationContext } from '../../graphql/context.ts';
import type { RunKnown } from '../../graphql/execution/fastPath.ts';
import {
  type AnswersOptions,
  createAnswers,
  type FindAnswer,
  type GraphqlRequest,
} from '../responses/createResponder.ts';
import { sendAnswer } from '../responses/sendResponse.ts';
import { createServeRequest } from '../responses/executeRequest.ts';
import type { TrustedDocuments } from '../trustedDocuments/trustedDocuments.ts';
import { withTelling } from '../responses/withEvents.ts';
import { type AdmissionOptions, createAdmission } from '../protection/admission.ts';

/** What it takes to serve `/graphql`. */
export interface GraphqlRouteOptions
  extends Omit<AnswersOptions, 'parse' | 'serve' | 'isPrivate'>,
    AdmissionOptions {
  /** Started. */
  readonly apollo: ApolloServer<OperationContext>;
  readonly runKnown: RunKnown;
  /** Documents that clients may name by hash; undefined where there are none. */
  readonly trusted: TrustedDocuments | undefined;
  /** Goes around what finds, and tells of, each answer. */
  readonly around?: ((find: FindAnswer) => FindAnswer) | undefined;
}

/** Serves `/graphql`. */
export function registerGraphqlRoute(server: FastifyInstance, options: GraphqlRouteOptions): void {
  const { apollo, runKnown, trusted, apiKeys, around } = options;
  const serve = createServeRequest(apollo, runKnown, trusted);
  const isPrivate = apiKeys !== undefined;
  const find = createAnswers({ ...options, serve, isPrivate, parse: createParser(server) });
  const told = withTelling(find, options);
  const findAnswer = around?.(told) ?? told;

  // Bodies stay as they are: an answer that is kept is found by them, without a look into them.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });

  server.decorateRequest('keyName', undefined);
  server.route({
    method: ['GET', 'HEAD', 'POST'],
    // Fastify's own would give a 304 a length.
    exposeHeadRoute: false,
    url: '/graphql',
    onRequest: createAdmission(options),
    handler: (request: GraphqlRequest, reply) => {
      const found = findAnswer(request);
      if (!(found instanceof Promise)) {
        sendAnswer(request, reply, found);
        return;
      }
      return found.then((made) => {
        sendAnswer(request, reply, made);
        return reply;
      });
    },
  });
}

/** Fastify's own parser of JSON, which refuses what would change an object's prototype. */
function createParser(server: FastifyInstance): AnswersOptions['parse'] {
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
