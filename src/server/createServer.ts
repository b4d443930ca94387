import cors from '@fastify/cors';
import Fastify, { type FastifyInstance, LogController } from 'fastify';
import { drainOnClose } from './drainOnClose.ts';
import { createErrorHandler, type ErrorHandlerOptions } from './errors/errorHandler.ts';
import { type GraphqlRouteOptions, registerGraphqlRoute } from './routes/graphqlRoute.ts';
import { type Metrics, registerMetricsRoute } from './routes/metricsRoute.ts';
import { createClientErrors } from './errors/clientErrors.ts';
import { toFastifyLimits } from './http/httpLimits.ts';
import { SECURITY_HEADERS } from './http/securityHeaders.ts';
import { refuseLate } from './errors/refuseWhileClosing.ts';
import { refuseMethods } from './errors/refuseUnknownRoutes.ts';
import { toRequestId } from './http/requestIdentity.ts';

/** What the HTTP server is put around. */
export interface ServerOptions extends GraphqlRouteOptions, ErrorHandlerOptions {
  readonly corsOrigins: readonly (string | RegExp)[];
  /** See `toTrust`. */
  readonly trustProxy: boolean | number | readonly string[];
  /** What `/readyz` says beside that the server is ready: none of it keeps it from being so. */
  readonly readiness: () => Readonly<Record<string, string>>;
  /** Served at `/metrics`; undefined: not here. */
  readonly metrics?: Metrics | undefined;
}

/**
 * Makes the HTTP server around a started Apollo Server: `/graphql`, `/livez` and `/readyz`. Closing it waits for what is
 * in flight, 10 seconds at most, and has `/readyz` say 503 meanwhile.
 */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { apollo, corsOrigins, trustProxy, limits, source, readiness, metrics, log } = options;
  const clientErrors = createClientErrors(source, limits);
  const errorHandler = createErrorHandler(options);
  const server = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // One of its own for every request is made for nothing: requests are not logged.
    childLoggerFactory: (logger) => logger,
    ...toFastifyLimits(limits),
    trustProxy: toTrust(trustProxy),
    clientErrorHandler: clientErrors.handle,
    frameworkErrors: errorHandler,
    // What comes while it closes is refused by `drainOnClose`, or carried out.
    return503OnClosing: false,
    // It would end the drain too, a moment before its own end.
    pluginTimeout: 0,
    genReqId: toRequestId,
  });

  clientErrors.watch(server);
  server.setErrorHandler(errorHandler);
  server.addHook('onRequest', (request, reply, done) => {
    reply.headers(SECURITY_HEADERS);
    reply.header('x-request-id', request.id);
    done();
  });
  refuseMethods(server);
  if (corsOrigins.length > 0) {
    await server.register(cors, {
      origin: [...corsOrigins],
      methods: ['GET', 'POST'],
      exposedHeaders: [
        'X-Request-Id',
        'Retry-After',
        'RateLimit-Limit',
        'RateLimit-Remaining',
        'RateLimit-Reset',
      ],
      maxAge: 3600,
    });
  }

  const { isDraining } = drainOnClose(
    server,
    (request, reply) => refuseLate(request, reply, options),
    options.monotonic,
  );

  server.get('/livez', () => ({ status: 'ok' }));
  server.get('/readyz', (_request, reply) => {
    if (!isDraining()) return { status: 'ok', ...readiness() };
    return reply.code(503).send({ status: 'draining', ...readiness() });
  });
  if (metrics) registerMetricsRoute(server, metrics);
  registerGraphqlRoute(server, options);

  server.addHook('onClose', () => apollo.stop());
  return server;
}

/**
 * Whose `X-Forwarded-For` is believed: nobody's, everybody's, that of so many proxies in front, or that of these
 * addresses. A number is ours to count, since Fastify believes nobody then: the last so many hops are the operator's own.
 */
function toTrust(
  trustProxy: ServerOptions['trustProxy'],
): boolean | string[] | ((address: string, hop: number) => boolean) {
  if (typeof trustProxy === 'number') return (_address, hop) => hop < trustProxy;
  return typeof trustProxy === 'boolean' ? trustProxy : [...trustProxy];
}
