import type { IncomingMessage, RequestListener } from 'node:http';
import type { FastifyInstance } from 'fastify';

const PATH = '/graphql';
const METHODS = ['GET', 'HEAD', 'POST'];

/**
 * Has `front` handle requests to `/graphql` before Fastify sees them. Some reach it by Fastify's route all the same: those
 * whose path is spelled in another way, such as `/graphql/`, those to a further address of the host, for which Fastify
 * listens with a server of its own, and injected ones.
 */
export function installFront(server: FastifyInstance, front: RequestListener): void {
  const { server: http, routing } = server;
  http.removeListener('request', routing);
  http.on('request', (request, response) => {
    if (isGraphql(request)) front(request, response);
    else routing(request, response);
  });
  server.route({
    method: METHODS,
    url: PATH,
    // Fastify has one of its own.
    exposeHeadRoute: false,
    onRequest: ({ raw }, reply) => {
      reply.hijack();
      front(raw, reply.raw);
    },
    handler: () => undefined,
  });
}

function isGraphql({ method = '', url = '' }: IncomingMessage): boolean {
  return (
    url.startsWith(PATH) &&
    (url.length === PATH.length || url[PATH.length] === '?') &&
    METHODS.includes(method)
  );
}
