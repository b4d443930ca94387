import type { FastifyInstance, HTTPMethods } from 'fastify';

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'OPTIONS'];

/** Answers requests that no route takes: 405 with `Allow` where it is only the method that is wrong, else 404. */
export function refuseMethods(server: FastifyInstance): void {
  server.setNotFoundHandler(({ method, url }, reply) => {
    const [path = ''] = url.split('?');
    // CORS takes OPTIONS wherever there is something.
    const isKnown = server.hasRoute({ method: 'GET', url: path });
    const allowed = METHODS.filter((known) =>
      [path, '/*'].some((pattern) => server.hasRoute({ method: known, url: pattern })),
    ).join(', ');
    if (isKnown) {
      const message = `Expected one of ${allowed}, but got: ${method}`;
      return reply.code(405).header('allow', allowed).send({ error: 'Method Not Allowed', message });
    }
    return reply.code(404).send({ error: 'Not Found', message: 'There is nothing at this path' });
  });
}
