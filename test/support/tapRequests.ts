import type { FastifyInstance } from 'fastify';

/** A request as it arrived. */
export interface TappedRequest {
  readonly method: string;
  /** Path and query string. */
  readonly url: string;
  /** Empty when it has none. */
  readonly body: string;
}

/** Shows all requests to a server that listens, before they are responded to. Hooks see none to `/graphql`. */
export function tapRequests(server: FastifyInstance, onRequest: (request: TappedRequest) => void): void {
  server.server.prependListener('request', (request) => {
    const { method = '', url = '' } = request;
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('latin1');
    });
    request.on('end', () => onRequest({ method, url, body: Buffer.from(body, 'latin1').toString() }));
  });
}
