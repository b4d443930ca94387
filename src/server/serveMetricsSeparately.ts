import type { FastifyInstance } from 'fastify';
import { createListener, type ListenerOptions } from './createListener.ts';
import { type Metrics, registerMetricsRoute } from './routes/metricsRoute.ts';

/** See `serveMetricsSeparately`. */
interface MetricsServerOptions extends Omit<ListenerOptions, 'notFound'> {
  readonly host: string;
  readonly port: number;
}

/** Serves `/metrics` on a separate port, which opens before `server` listens and closes with it. */
export function serveMetricsSeparately(
  server: FastifyInstance,
  metrics: Metrics,
  options: MetricsServerOptions,
): void {
  const { host, port } = options;
  const notFound = 'There is nothing at this path: metrics are at /metrics';
  const { server: metricsServer } = createListener({ ...options, notFound });
  registerMetricsRoute(metricsServer, metrics);
  server.addHook('onReady', async () => {
    await metricsServer.listen({ host, port, listenTextResolver: (at) => `Metrics at ${at}/metrics` });
  });
  server.addHook('onClose', () => metricsServer.close());
}
