import type { FastifyInstance } from 'fastify';

/** See `registerHealthRoutes`. */
export interface HealthRoutesOptions {
  /** What `/readyz` reports beside its status; none of it makes the server unready. */
  readonly readiness: () => Readonly<Record<string, string>>;
  /** True from the moment that the server closes. */
  readonly isDraining: () => boolean;
}

/**
 * Serves `/livez`, which is 200 while the process runs, and `/readyz`, which is 503 once the server closes. Both are
 * free: nothing is fetched for them.
 */
export function registerHealthRoutes(
  server: FastifyInstance,
  { readiness, isDraining }: HealthRoutesOptions,
): void {
  server.get('/livez', () => ({ status: 'ok' }));
  server.get('/readyz', (_request, reply) => {
    if (!isDraining()) return { status: 'ok', ...readiness() };
    return reply.code(503).send({ status: 'draining', ...readiness() });
  });
}
