import Fastify, { type FastifyInstance } from 'fastify';
import { refuseUnknownRoutes } from '../errors/refuseUnknownRoutes.ts';

/** What a scrape reads. */
export interface Metrics {
  readonly contentType: string;
  /** All metrics as text. */
  readonly read: () => Promise<string>;
}

/** Serves `/metrics`, for free. */
export function registerMetricsRoute(server: FastifyInstance, { contentType, read }: Metrics): void {
  server.get('/metrics', async (_request, reply) => reply.type(contentType).send(await read()));
}

/** Serves `/metrics` on a separate port, which opens before `server` listens and closes with it. */
export function serveMetricsSeparately(
  server: FastifyInstance,
  metrics: Metrics,
  { keepAliveMs, ...address }: { readonly host: string; readonly port: number; readonly keepAliveMs: number },
): void {
  const metricsServer = Fastify({ loggerInstance: server.log, keepAliveTimeout: keepAliveMs });
  registerMetricsRoute(metricsServer, metrics);
  refuseUnknownRoutes(metricsServer);
  server.addHook('onReady', async () => {
    await metricsServer.listen({ ...address, listenTextResolver: (at) => `Metrics at ${at}/metrics` });
  });
  server.addHook('onClose', () => metricsServer.close());
}
