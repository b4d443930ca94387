import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { UpstreamSource } from '../graphql/upstreamExtension.ts';
import { createClientErrorHandler } from './errors/clientErrors.ts';
import { createErrorHandler } from './errors/errorHandler.ts';
import { refuseUnknownRoutes } from './errors/refuseUnknownRoutes.ts';
import { createToRefusal, type ToRefusal } from './errors/toRefusal.ts';
import { type Cors, createCors } from './http/cors.ts';
import { type HttpLimits, toFastifyLimits } from './http/httpLimits.ts';
import { type OnRoute, reportRoutes } from './http/reportRoutes.ts';
import { toRequestId } from './http/requestIdentity.ts';
import { RESPONSE_HEADERS } from './http/responseHeaders.ts';
import { type Connections, trackConnections } from './http/trackConnections.ts';

/** See `createListener`. */
export interface ListenerOptions {
  readonly source: UpstreamSource;
  readonly limits: HttpLimits;
  readonly log: FastifyBaseLogger;
  /** Origins whose scripts may read responses. */
  readonly corsOrigins?: readonly (string | RegExp)[];
  /** What a response to an unknown path says. */
  readonly notFound: string;
  /** Called with the route of each request. */
  readonly onRoute: OnRoute | undefined;
}

/** An HTTP server without routes, and what it is made of. */
interface Listener {
  readonly server: FastifyInstance;
  readonly connections: Connections;
  readonly cors: Cors;
  readonly toRefusal: ToRefusal;
}

/**
 * Creates an HTTP server without routes, with what all servers of this program have: limits, errors in JSON, security headers,
 * request ids, and no log line for a request, whose URL may have a secret.
 */
export function createListener(options: ListenerOptions): Listener {
  const { source, limits, log, corsOrigins = [], notFound, onRoute } = options;
  const connections = trackConnections();
  const cors = createCors(corsOrigins);
  const toRefusal = createToRefusal(options);
  const errorHandler = createErrorHandler(source, toRefusal);
  const server = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // Fastify would create a child logger for every request, and requests are not logged.
    childLoggerFactory: (logger) => logger,
    ...toFastifyLimits(limits),
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
    // By default Fastify loads two large compilers at the start.
    schemaController: { compilersFactory: { buildValidator: refuseSchema, buildSerializer: refuseSchema } },
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
  return { server, connections, cors, toRefusal };
}

/** Sets the headers of every response. Returns whether that completes it: the request is a preflight. */
function beginResponse(request: FastifyRequest, reply: FastifyReply, cors: Cors): boolean {
  reply
    .headers(RESPONSE_HEADERS)
    .header('x-request-id', request.id)
    .headers(cors.toHeaders(request.headers.origin));
  return cors.respond(request, reply);
}

/** No route has a schema: the responses of this program are built by other means. */
function refuseSchema(): never {
  throw new Error('Expected a route without a schema, but got one with a schema');
}
