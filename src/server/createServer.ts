import type { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import cors from '@fastify/cors';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  LogController,
} from 'fastify';
import type { OperationContext } from '../graphql/context.ts';
import { INTERNAL_ERROR, toRequestError } from '../graphql/formatError.ts';
import { toUpstreamExtension, type UpstreamSource } from '../graphql/upstreamExtension.ts';
import { endConnectionsOnClose } from './endConnectionsOnClose.ts';

/** What the HTTP server is put around. */
export interface ServerOptions {
  readonly apollo: ApolloServer<OperationContext>;
  readonly createContext: () => OperationContext;
  readonly corsOrigins: readonly (string | RegExp)[];
  readonly source: UpstreamSource;
  /** What `/readyz` says beside that the server is ready: none of it keeps it from being so. */
  readonly readiness: () => Readonly<Record<string, string>>;
  readonly log: FastifyBaseLogger;
}

/**
 * Makes the HTTP server around a started Apollo Server: `/graphql`, `/livez` and `/readyz`. Closing it waits for what is
 * in flight, 10 seconds at most.
 */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { apollo, createContext, corsOrigins, source, readiness, log } = options;
  const server = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
  });

  await server.register(cors, { origin: [...corsOrigins], methods: ['GET', 'POST'], maxAge: 3600 });

  server.get('/livez', () => ({ status: 'ok' }));
  server.get('/readyz', () => ({ status: 'ok', ...readiness() }));

  server.route({
    method: ['GET', 'POST'],
    url: '/graphql',
    handler: fastifyApolloHandler(apollo, { context: async () => createContext() }),
    // A body that never became a request: too large, not JSON, of a type that is not read.
    errorHandler: (error: FastifyError, _request, reply) => {
      const status = error.statusCode ?? 500;
      if (status >= 500) log.error({ err: error }, 'Unexpected error');
      const formatted = status < 500 ? toRequestError(error.message, 'BAD_REQUEST') : INTERNAL_ERROR;
      void reply
        .status(status)
        .send({ errors: [formatted], extensions: { upstream: toUpstreamExtension(source) } });
    },
  });

  endConnectionsOnClose(server);
  server.addHook('onClose', () => apollo.stop());
  return server;
}
