import type { FastifyInstance } from 'fastify';

/** Listens to the routes of requests. */
export type OnRoute = (route: string) => void;

/** Reports the route of each request that has one, while the request's own context is active. */
export function reportRoutes(server: FastifyInstance, onRoute: OnRoute): void {
  server.addHook('onRequest', ({ routeOptions: { url } }, _reply, done) => {
    if (url !== undefined) onRoute(url);
    done();
  });
}
