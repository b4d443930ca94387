import cors from '@fastify/cors';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { endConnectionsOnClose } from './endConnectionsOnClose.ts';
import { type GraphqlRouteOptions, registerGraphqlRoute } from './graphqlRoute.ts';
import { type Metrics, registerMetricsRoute } from './metricsRoute.ts';
import { refuseMethods } from './refuseMethods.ts';
import { toRequestId } from './requestIdentity.ts';

/** What the HTTP server is put around. */
export interface ServerOptions extends GraphqlRouteOptions {
  readonly corsOrigins: readonly (string | RegExp)[];
  /** What `/readyz` says beside that the server is ready: none of it keeps it from being so. */
  readonly readiness: () => Readonly<Record<string, string>>;
  /** Served at `/metrics`; undefined: not here. */
  readonly metrics?: Metrics | undefined;
  readonly log: FastifyBaseLogger;
}

/**
 * Makes the HTTP server around a started Apollo Server: `/graphql`, `/livez` and `/readyz`. Closing it waits for what is
 * in flight, 10 seconds at most.
 */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { apollo, corsOrigins, readiness, metrics, log } = options;
  const server = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // One of its own for every request is made for nothing: requests are not logged.
    childLoggerFactory: (logger) => logger,
    genReqId: toRequestId,
  });
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });

  refuseMethods(server);
  if (corsOrigins.length > 0) {
    await server.register(cors, { origin: [...corsOrigins], methods: ['GET', 'POST'], maxAge: 3600 });
  }

  server.get('/livez', () => ({ status: 'ok' }));
  server.get('/readyz', () => ({ status: 'ok', ...readiness() }));
  if (metrics) registerMetricsRoute(server, metrics);
  registerGraphqlRoute(server, options);

  endConnectionsOnClose(server);
  server.addHook('onClose', () => apollo.stop());
  return server;
}
