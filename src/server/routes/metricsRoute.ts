import Fastify, { type FastifyInstance, LogController } from 'fastify';
import { createClientErrorHandler } from '../errors/clientErrors.ts';
import { createErrorHandler, type ErrorHandlerOptions } from '../errors/errorHandler.ts';
import { refuseUnknownRoutes } from '../errors/refuseUnknownRoutes.ts';
import { toFastifyLimits } from '../http/httpLimits.ts';
import { type OnRoute, reportRoutes } from '../http/reportRoutes.ts';
import { SECURITY_HEADERS } from '../http/securityHeaders.ts';
import { trackConnections } from '../http/trackConnections.ts';

/** What a scrape reads. */
export interface Metrics {
  readonly contentType: string;
  /** All metrics as text. */
  readonly read: () => Promise<string>;
}

/** See `serveMetricsSeparately`. */
interface MetricsServerOptions extends ErrorHandlerOptions {
  readonly host: string;
  readonly port: number;
  /** Called with the route of each scrape. */
  readonly onRoute: OnRoute | undefined;
}

/** Serves `/metrics`, for free. */
export function registerMetricsRoute(server: FastifyInstance, { contentType, read }: Metrics): void {
  server.get('/metrics', async (_request, reply) => reply.type(contentType).send(await read()));
}

/** Serves `/metrics` on a separate port, which opens before `server` listens and closes with it. */
export function serveMetricsSeparately(
  server: FastifyInstance,
  metrics: Metrics,
  options: MetricsServerOptions,
): void {
  const { host, port } = options;
  const metricsServer = createMetricsServer(metrics, options);
  server.addHook('onReady', async () => {
    await metricsServer.listen({ host, port, listenTextResolver: (at) => `Metrics at ${at}/metrics` });
  });
  server.addHook('onClose', () => metricsServer.close());
}

/** Creates a server for `/metrics` alone, with the limits and errors of the main one. */
function createMetricsServer(metrics: Metrics, options: MetricsServerOptions): FastifyInstance {
  const { source, limits, log, onRoute } = options;
  const connections = trackConnections();
  const errorHandler = createErrorHandler(options);
  const server = Fastify({
    loggerInstance: log,
    // A scrape leaves no line: its URL may have a secret.
    logController: new LogController({ disableRequestLogging: true }),
    ...toFastifyLimits(limits),
    clientErrorHandler: createClientErrorHandler({
      source,
      limits,
      latestResponses: connections.latestResponses,
    }),
    frameworkErrors: errorHandler,
  });
  connections.track(server);
  server.setErrorHandler(errorHandler);
  if (onRoute) reportRoutes(server, onRoute);
  server.addHook('onRequest', (_request, reply, done) => {
    reply.headers(SECURITY_HEADERS);
    done();
  });
  // Before the route, whose methods it records.
  refuseUnknownRoutes(server, 'There is nothing at this path: metrics are at /metrics');
  registerMetricsRoute(server, metrics);
  return server;
}
