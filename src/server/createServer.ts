import cors from '@fastify/cors';
import Fastify, { type FastifyInstance, LogController } from 'fastify';
import { drainOnClose } from './drainOnClose.ts';
import { createClientErrorHandler } from './errors/clientErrors.ts';
import { createErrorHandler, type ErrorHandlerOptions } from './errors/errorHandler.ts';
import { refuseUnknownRoutes } from './errors/refuseUnknownRoutes.ts';
import { refuseWhileClosing } from './errors/refuseWhileClosing.ts';
import { type ExplorerOptions, registerExplorerRoutes } from './explorer/explorerRoutes.ts';
import { toFastifyLimits } from './http/httpLimits.ts';
import { type OnRoute, reportRoutes } from './http/reportRoutes.ts';
import { toRequestId } from './http/requestIdentity.ts';
import { SECURITY_HEADERS } from './http/securityHeaders.ts';
import { trackConnections } from './http/trackConnections.ts';
import { type GraphqlRouteOptions, registerGraphqlRoute } from './routes/graphqlRoute.ts';
import { type HealthRoutesOptions, registerHealthRoutes } from './routes/healthRoutes.ts';
import { type Metrics, registerMetricsRoute } from './routes/metricsRoute.ts';

/** Dependencies and settings of the HTTP server. */
interface ServerOptions extends ErrorHandlerOptions {
  readonly graphql: Omit<GraphqlRouteOptions, 'source' | 'onEvent' | 'monotonic'>;
  readonly network: NetworkOptions;
  readonly readiness: HealthRoutesOptions['readiness'];
  /** Served at `/metrics`; undefined: not on this server. */
  readonly metrics: Metrics | undefined;
  /** Called with the route of each request that has one, such as `/graphql`. */
  readonly onRoute: OnRoute | undefined;
  /** GraphiQL; undefined where it is not served. */
  readonly explorer: ExplorerOptions | undefined;
  /** The clock that pages expire by, in milliseconds. */
  readonly monotonic: () => number;
}

/** Who may reach the server, and through which proxies. */
interface NetworkOptions {
  readonly corsOrigins: readonly (string | RegExp)[];
  /** See `toTrustProxy`. */
  readonly trustProxy: boolean | number | readonly string[];
}

/**
 * Creates the HTTP server: `/graphql`, `/livez`, `/readyz` and, if configured, `/metrics` and the explorer. Closing it
 * waits for requests in flight, 10 seconds at most; `/readyz` is 503 meanwhile.
 */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { graphql, network, source, limits, readiness, metrics, explorer, monotonic, onEvent, log } = options;
  const connections = trackConnections();
  const errorHandler = createErrorHandler(options);
  const server = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // Fastify would create a child logger for every request, and requests are not logged.
    childLoggerFactory: (logger) => logger,
    ...toFastifyLimits(limits),
    trustProxy: toTrustProxy(network.trustProxy),
    clientErrorHandler: createClientErrorHandler({
      source,
      limits,
      latestResponses: connections.latestResponses,
    }),
    frameworkErrors: errorHandler,
    // `drainOnClose` decides which requests are refused while the server closes.
    return503OnClosing: false,
    // Would cut the drain short.
    pluginTimeout: 0,
    genReqId: toRequestId,
  });

  connections.track(server);
  server.setErrorHandler(errorHandler);
  if (options.onRoute) reportRoutes(server, options.onRoute);
  server.addHook('onRequest', (request, reply, done) => {
    reply.headers(SECURITY_HEADERS);
    reply.header('x-request-id', request.id);
    done();
  });
  refuseUnknownRoutes(server, 'There is nothing at this path: GraphQL is at /graphql');
  await registerCors(server, network.corsOrigins);
  const { isDraining } = drainOnClose(server, {
    connections,
    refuse: (request, reply) => refuseWhileClosing(request, reply, options),
    monotonic,
  });

  registerHealthRoutes(server, { readiness, isDraining });
  if (metrics) registerMetricsRoute(server, metrics);
  if (explorer) registerExplorerRoutes(server, explorer);
  registerGraphqlRoute(server, { ...graphql, source, onEvent, monotonic });
  return server;
}

/** Without origins no CORS headers are sent: browsers keep responses from other sites. */
async function registerCors(server: FastifyInstance, origins: NetworkOptions['corsOrigins']): Promise<void> {
  if (origins.length === 0) return;
  await server.register(cors, {
    origin: [...origins],
    methods: ['GET', 'POST'],
    exposedHeaders: [
      'X-Request-Id',
      'Retry-After',
      'RateLimit-Limit',
      'RateLimit-Remaining',
      'RateLimit-Reset',
      'ETag',
    ],
    maxAge: 3600,
  });
}

/**
 * Which proxies' `X-Forwarded-For` is trusted: none, all, a number of proxies in front, or those with these addresses.
 * Fastify trusts no proxy when it is given a number, so hops are counted here: the last ones are the operator's
 * proxies.
 */
function toTrustProxy(
  trustProxy: NetworkOptions['trustProxy'],
): boolean | string[] | ((address: string, hop: number) => boolean) {
  if (typeof trustProxy === 'number') return (_address, hop) => hop < trustProxy;
  return typeof trustProxy === 'boolean' ? trustProxy : [...trustProxy];
}
