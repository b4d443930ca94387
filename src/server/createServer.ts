import type { FastifyInstance } from 'fastify';
import { createListener, type ListenerOptions } from './createListener.ts';
import { drainOnClose } from './drainOnClose.ts';
import { refuseWhileClosing } from './errors/refuseWhileClosing.ts';
import { type ExplorerOptions, registerExplorerRoutes } from './explorer/explorerRoutes.ts';
import { type GraphqlRouteOptions, registerGraphqlRoute } from './routes/graphqlRoute.ts';
import { type HealthRoutesOptions, registerHealthRoutes } from './routes/healthRoutes.ts';
import { type Metrics, registerMetricsRoute } from './routes/metricsRoute.ts';

/** Dependencies and settings of the HTTP server. */
interface ServerOptions extends Omit<ListenerOptions, 'notFound'> {
  readonly graphql: Omit<GraphqlRouteOptions, 'source' | 'onEvent' | 'monotonic'>;
  readonly readiness: HealthRoutesOptions['readiness'];
  /** Served at `/metrics`; undefined: not on this server. */
  readonly metrics: Metrics | undefined;
  /** GraphiQL; undefined where it is not served. */
  readonly explorer: ExplorerOptions | undefined;
  /** The clock that pages expire by, in milliseconds. */
  readonly monotonic: () => number;
}

/**
 * Creates the HTTP server: `/graphql`, `/livez`, `/readyz` and, if configured, `/metrics` and the explorer. Closing it
 * waits for requests in flight, 10 seconds at most; `/readyz` is 503 meanwhile.
 */
export function createServer(options: ServerOptions): FastifyInstance {
  const { graphql, source, readiness, metrics, explorer, monotonic, onEvent } = options;
  const notFound = 'There is nothing at this path: GraphQL is at /graphql';
  const { server, connections } = createListener({ ...options, notFound });
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
