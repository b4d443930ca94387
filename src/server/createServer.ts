import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { drainOnClose } from './drainOnClose.ts';
import { createClientErrorHandler } from './errors/clientErrors.ts';
import { createErrorHandler, type ErrorHandlerOptions } from './errors/errorHandler.ts';
import { refuseUnknownRoutes } from './errors/refuseUnknownRoutes.ts';
import { refuseWhileClosing } from './errors/refuseWhileClosing.ts';
import { type ExplorerOptions, registerExplorerRoutes } from './explorer/explorerRoutes.ts';
import { type Cors, createCors } from './http/cors.ts';
import { toFastifyLimits } from './http/httpLimits.ts';
import { toRequestId } from './http/requestIdentity.ts';
import { SECURITY_HEADERS } from './http/securityHeaders.ts';
import { trackConnections } from './http/trackConnections.ts';
import { type TrustedProxies, toTrustProxy } from './protection/trustProxy.ts';
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
  /** GraphiQL; undefined where it is not served. */
  readonly explorer: ExplorerOptions | undefined;
  /** The clock that pages expire by, in milliseconds. */
  readonly monotonic: () => number;
}

/** Who may reach the server, and through which proxies. */
interface NetworkOptions {
  readonly corsOrigins: readonly (string | RegExp)[];
  readonly trustProxy: TrustedProxies;
}

/**
 * Creates the HTTP server: `/graphql`, `/livez`, `/readyz` and, if configured, `/metrics` and the explorer. Closing it
 * waits for requests in flight, 10 seconds at most; `/readyz` is 503 meanwhile.
 */
export function createServer(options: ServerOptions): FastifyInstance {
  const { graphql, network, source, limits, readiness, metrics, explorer, monotonic, onEvent, log } = options;
  const connections = trackConnections();
  const cors = createCors(network.corsOrigins);
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
      cors,
      latestResponses: connections.latestResponses,
    }),
    // A request whose URL cannot be read runs no hooks.
    frameworkErrors: (error, request, reply) => {
      if (!beginResponse(request, reply, cors)) errorHandler(error, request, reply);
    },
    // A base URL with `/` after it is common in the settings of clients and monitors.
    routerOptions: { ignoreTrailingSlash: true },
    // `drainOnClose` decides which requests are refused while the server closes.
    return503OnClosing: false,
    // Would cut the drain short.
    pluginTimeout: 0,
    genReqId: toRequestId,
  });

  connections.track(server);
  server.setErrorHandler(errorHandler);
  server.addHook('onRequest', (request, reply, done) => {
    if (!beginResponse(request, reply, cors)) done();
  });
  refuseUnknownRoutes(server, 'There is nothing at this path: GraphQL is at /graphql', cors.isEnabled);
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

/** Sets the headers of every response. Returns whether that completes it: the request is a preflight. */
function beginResponse(request: FastifyRequest, reply: FastifyReply, cors: Cors): boolean {
  reply.headers({
    ...SECURITY_HEADERS,
    'x-request-id': request.id,
    // Without it, a cache in front may store a health check or a 404: Varnish does, for two minutes.
    'cache-control': 'no-store',
    ...cors.toHeaders(request.headers.origin),
  });
  return cors.respond(request, reply);
}
