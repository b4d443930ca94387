import type { FastifyInstance } from 'fastify';
import { createListener, type ListenerOptions } from './createListener.ts';
import { drainOnClose } from './drainOnClose.ts';
import type { OnServerEvent } from './events.ts';
import { type ExplorerOptions, registerExplorerRoutes } from './explorer/explorerRoutes.ts';
import { createFront } from './front/createFront.ts';
import { createGraphqlResponder, type GraphqlResponderOptions } from './front/graphqlResponder.ts';
import { installFront } from './front/installFront.ts';
import { type AdmissionOptions, createAdmission } from './protection/admission.ts';
import { type HealthRoutesOptions, registerHealthRoutes } from './routes/healthRoutes.ts';
import { type Metrics, registerMetricsRoute } from './routes/metricsRoute.ts';

/** Dependencies and settings of the HTTP server. */
interface ServerOptions extends Omit<ListenerOptions, 'notFound'> {
  readonly graphql: Omit<GraphqlResponderOptions & AdmissionOptions, 'source' | 'onEvent' | 'monotonic'>;
  readonly readiness: HealthRoutesOptions['readiness'];
  /** Served at `/metrics`; undefined: not on this server. */
  readonly metrics: Metrics | undefined;
  /** GraphiQL; undefined where it is not served. */
  readonly explorer: ExplorerOptions | undefined;
  /** The clock that pages expire by, in milliseconds. */
  readonly monotonic: () => number;
  readonly onEvent: OnServerEvent;
}

/**
 * Creates the HTTP server: `/graphql`, `/livez`, `/readyz` and, if configured, `/metrics` and the explorer. Closing it
 * waits for requests in flight, 10 seconds at most; `/readyz` is 503 meanwhile.
 */
export function createServer(options: ServerOptions): FastifyInstance {
  const { readiness, metrics, explorer, monotonic } = options;
  const notFound = 'There is nothing at this path: GraphQL is at /graphql';
  const { server, connections, ...listener } = createListener({ ...options, notFound });
  const drain = drainOnClose(server, { connections, monotonic });
  const graphql = { ...options, ...options.graphql };

  registerHealthRoutes(server, { readiness, isDraining: drain.isDraining });
  if (metrics) registerMetricsRoute(server, metrics);
  if (explorer) registerExplorerRoutes(server, explorer);
  const respond = createGraphqlResponder(server, graphql);
  const admit = createAdmission(graphql);
  installFront(server, createFront({ ...options, ...listener, ...drain, admit, respond }));
  return server;
}
