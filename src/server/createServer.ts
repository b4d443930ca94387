import cors from '@fastify/cors';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { drainOnClose } from './drainOnClose.ts';
import { type GraphqlRouteOptions, registerGraphqlRoute } from './graphqlRoute.ts';
import { refuseLate } from './refuseLate.ts';
import { refuseMethods } from './refuseMethods.ts';

/** What the HTTP server is put around. */
export interface ServerOptions extends GraphqlRouteOptions {
  readonly corsOrigins: readonly (string | RegExp)[];
  /** What `/readyz` says beside that the server is ready: none of it keeps it from being so. */
  readonly readiness: () => Readonly<Record<string, string>>;
  readonly log: FastifyBaseLogger;
}

/**
 * Makes the HTTP server around a started Apollo Server: `/graphql`, `/livez` and `/readyz`. Closing it waits for what is
 * in flight, 10 seconds at most, and has `/readyz` say 503 meanwhile.
 */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { apollo, corsOrigins, readiness, log } = options;
  const server = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // One of its own for every request is made for nothing: requests are not logged.
    childLoggerFactory: (logger) => logger,
    // What comes while it closes is refused by `drainOnClose`, or carried out.
    return503OnClosing: false,
    // It would end the drain too, a moment before its own end.
    pluginTimeout: 0,
  });

  refuseMethods(server);
  if (corsOrigins.length > 0) {
    await server.register(cors, { origin: [...corsOrigins], methods: ['GET', 'POST'], maxAge: 3600 });
  }

  const { isDraining } = drainOnClose(server, (reply) => refuseLate(reply, options.source));

  server.get('/livez', () => ({ status: 'ok' }));
  server.get('/readyz', (_request, reply) => {
    if (!isDraining()) return { status: 'ok', ...readiness() };
    return reply.code(503).send({ status: 'draining', ...readiness() });
  });
  registerGraphqlRoute(server, options);

  server.addHook('onClose', () => apollo.stop());
  return server;
}
