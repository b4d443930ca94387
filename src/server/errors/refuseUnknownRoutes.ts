import type { FastifyInstance } from 'fastify';

/**
 * Refuses requests without a route: 405 with `Allow` when only the method is wrong, else 404.
 *
 * @param hasPreflights Whether CORS preflights are responded to before: the only requests by OPTIONS that are.
 */
export function refuseUnknownRoutes(server: FastifyInstance, notFound: string, hasPreflights: boolean): void {
  server.addHook('onRequest', ({ is404, method, url }, reply, done) => {
    if (!is404) {
      done();
      return;
    }
    // By the router itself, which may ignore a trailing slash.
    const known = server.supportedMethods.filter((other) => server.findRoute({ method: other, url }));
    if (known.length === 0) {
      reply.code(404).send({ error: 'Not Found', message: notFound });
      return;
    }
    const allowed = (hasPreflights && method !== 'OPTIONS' ? [...known, 'OPTIONS'] : known).join(', ');
    const message =
      hasPreflights && method === 'OPTIONS'
        ? `Expected one of the methods ${allowed}, or a CORS preflight with the headers Origin and ` +
          'Access-Control-Request-Method, but got: OPTIONS without them'
        : `Expected one of the methods ${allowed}, but got: ${method}`;
    reply.code(405).header('allow', allowed).send({ error: 'Method Not Allowed', message });
  });
}
