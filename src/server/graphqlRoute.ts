import type { ApolloServer } from '@apollo/server';
import type { FastifyBaseLogger, FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLFormattedError } from 'graphql';
import type { OperationContext } from '../graphql/context.ts';
import type { RunKnown } from '../graphql/execution/knownOperations.ts';
import { INTERNAL_ERROR, toRequestError } from '../graphql/formatError.ts';
import { toUpstreamExtension } from '../graphql/upstreamExtension.ts';
import {
  type AnswersOptions,
  createAnswers,
  type FindAnswer,
  type GraphqlRequest,
} from './answers/createAnswers.ts';
import { sendAnswer } from './answers/sendAnswer.ts';
import { createServeRequest } from './answers/serveRequest.ts';
import type { TrustedDocuments } from './answers/trustedDocuments.ts';
import { type TellingOptions, withTelling } from './answers/withTelling.ts';
import { createAuthentication } from './apiKeys.ts';
import { identify } from './requestIdentity.ts';

/** What it takes to serve `/graphql`. */
export interface GraphqlRouteOptions
  extends Omit<AnswersOptions, 'parse' | 'serve' | 'isPrivate'>,
    TellingOptions {
  /** Started. */
  readonly apollo: ApolloServer<OperationContext>;
  readonly runKnown: RunKnown;
  /** Documents that clients may name by hash; undefined where there are none. */
  readonly trusted: TrustedDocuments | undefined;
  /** One of them must come with every request; undefined: none need be. */
  readonly apiKeys: readonly string[] | undefined;
  /** Goes around what finds, and tells of, each answer. */
  readonly around?: ((find: FindAnswer) => FindAnswer) | undefined;
  readonly log: FastifyBaseLogger;
}

/** Serves `/graphql`. */
export function registerGraphqlRoute(server: FastifyInstance, options: GraphqlRouteOptions): void {
  const { apollo, runKnown, trusted, apiKeys, source, onEvent, around, log } = options;
  const serve = createServeRequest(apollo, runKnown, trusted);
  const isPrivate = apiKeys !== undefined;
  const find = createAnswers({ ...options, serve, isPrivate, parse: createParser(server) });
  const told = withTelling(find, options);
  const findAnswer = around?.(told) ?? told;
  const isAuthenticated = createAuthentication(apiKeys ?? []);

  // Bodies stay as they are: an answer that is kept is found by them, without a look into them.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });

  server.route({
    method: ['GET', 'HEAD', 'POST'],
    // Fastify's own would give a 304 a length.
    exposeHeadRoute: false,
    url: '/graphql',
    // Before anything is looked up: what is kept is not for everyone either.
    ...(isPrivate && {
      onRequest: async (request: FastifyRequest, reply: FastifyReply) => {
        if (isAuthenticated(request)) return;
        reply.header('www-authenticate', 'Bearer');
        await sendError(
          request,
          reply,
          401,
          toRequestError('An API key is needed, and this is none', 'UNAUTHENTICATED'),
        );
      },
    }),
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
    // A body that never became a request: too large, not JSON, of a type that is not read.
    errorHandler: (error: FastifyError, request, reply) => {
      const status = error.statusCode ?? 500;
      if (status >= 500) log.error({ err: error, requestId: request.id }, 'Unexpected error');
      const formatted = status < 500 ? toRequestError(error.message, 'BAD_REQUEST') : INTERNAL_ERROR;
      void sendError(request, reply, status, formatted);
    },
  });

  /** An answer to what became no operation. */
  function sendError(
    request: FastifyRequest,
    reply: FastifyReply,
    status: number,
    error: GraphQLFormattedError,
  ): FastifyReply {
    const upstream = toUpstreamExtension(source);
    onEvent({
      type: 'answer',
      origin: 'refused',
      status,
      name: undefined,
      outcome: 'error',
      codes: [String(error.extensions?.code)],
      cost: upstream,
      durationMs: reply.elapsedTime,
      request: identify(request),
    });
    return reply
      .status(status)
      .header('cache-control', 'no-store')
      .send({ errors: [error], extensions: { upstream } });
  }
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
