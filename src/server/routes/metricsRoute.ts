import Fastify, { type FastifyInstance } from 'fastify';
import { refuseMethods } from '../errors/refuseUnknownRoutes.ts';

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

/** Has `/metrics` served at a port of its own for as long as `server` is there; that is open before `server` listens. */
export function serveMetricsApart(
  server: FastifyInstance,
  metrics: Metrics,
  address: { readonly host: string; readonly port: number },
): void {
  const own = Fastify({ loggerInstance: server.log });
  registerMetricsRoute(own, metrics);
  refuseMethods(own);
  server.addHook('onReady', async () => {
    await own.listen({ ...address, listenTextResolver: (at) => `Metrics at ${at}/metrics` });
  });
  server.addHook('onClose', () => own.close());
}
