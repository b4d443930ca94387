import type { FastifyInstance } from 'fastify';

/** Refuses requests without a route: 405 with `Allow` when only the method is wrong, else 404. */
export function refuseUnknownRoutes(
  server: FastifyInstance,
  notFound = 'There is nothing at this path',
): void {
  /** Methods by path; `*` has the OPTIONS of CORS, which every path supports. */
  const methods = new Map<string, string[]>();
  server.addHook('onRoute', ({ url, method }) => {
    methods.set(url, [...new Set([...(methods.get(url) ?? []), method].flat())]);
  });

  server.addHook('onRequest', ({ is404, method, url }, reply, done) => {
    if (!is404) {
      done();
      return;
    }
    const known = methods.get(url.split('?')[0] ?? '');
    if (!known) {
      reply.code(404).send({ error: 'Not Found', message: notFound });
      return;
    }
    const allowed = [...known, ...(methods.get('*') ?? [])].join(', ');
    const message = `Expected one of the methods ${allowed}, but got: ${method}`;
    reply.code(405).header('allow', allowed).send({ error: 'Method Not Allowed', message });
  });
}
