import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { createClientErrorHandler } from './errors/clientErrors.ts';
import { createErrorHandler, type ErrorHandlerOptions } from './errors/errorHandler.ts';
import { refuseUnknownRoutes } from './errors/refuseUnknownRoutes.ts';
import { type Cors, createCors } from './http/cors.ts';
import { toFastifyLimits } from './http/httpLimits.ts';
import { type OnRoute, reportRoutes } from './http/reportRoutes.ts';
import { toRequestId } from './http/requestIdentity.ts';
import { SECURITY_HEADERS } from './http/securityHeaders.ts';
import { type Connections, trackConnections } from './http/trackConnections.ts';
import { type TrustedProxies, toTrustProxy } from './protection/trustProxy.ts';

/** Headers of every response, unless it has others of these names. */
const HEADERS = {
  ...SECURITY_HEADERS,
  // Without it, a cache in front may store a health check or a 404: Varnish does, for two minutes.
  'cache-control': 'no-store',
};

/** See `createListener`. */
export interface ListenerOptions extends ErrorHandlerOptions {
  /** Origins whose scripts may read responses. */
  readonly corsOrigins?: readonly (string | RegExp)[];
  /** None by default. */
  readonly trustProxy?: TrustedProxies;
  /** What a response to an unknown path says. */
  readonly notFound: string;
  /** Called with the route of each request. */
  readonly onRoute: OnRoute | undefined;
}

/**
 * Creates an HTTP server without routes, with what all servers of this program have: limits, errors in JSON, security headers,
 * request ids, and no log line for a request, whose URL may have a secret.
 */
export function createListener(options: ListenerOptions): {
  readonly server: FastifyInstance;
  readonly connections: Connections;
} {
  const { source, limits, log, corsOrigins = [], trustProxy = false, notFound, onRoute } = options;
  const connections = trackConnections();
  const cors = createCors(corsOrigins);
  const errorHandler = createErrorHandler(options);
  const server = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // Fastify would create a child logger for every request, and requests are not logged.
    childLoggerFactory: (logger) => logger,
    ...toFastifyLimits(limits),
    trustProxy: toTrustProxy(trustProxy),
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
    // `drainOnClose` decides which requests are refused while a server closes.
    return503OnClosing: false,
    // Would cut the drain short.
    pluginTimeout: 0,
    genReqId: toRequestId,
  });

  connections.track(server);
  server.setErrorHandler(errorHandler);
  if (onRoute) reportRoutes(server, onRoute);
  server.addHook('onRequest', (request, reply, done) => {
    if (!beginResponse(request, reply, cors)) done();
  });
  refuseUnknownRoutes(server, notFound, cors.isEnabled);
  return { server, connections };
}

/** Sets the headers of every response. Returns whether that completes it: the request is a preflight. */
function beginResponse(request: FastifyRequest, reply: FastifyReply, cors: Cors): boolean {
  reply.headers(HEADERS).header('x-request-id', request.id).headers(cors.toHeaders(request.headers.origin));
  return cors.respond(request, reply);
}
