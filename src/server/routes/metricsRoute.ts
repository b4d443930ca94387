import type { FastifyInstance } from 'fastify';

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
