import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** How long requests in flight may take to finish once the server closes, in milliseconds. */
export const DRAIN_MS = 10_000;

/**
 * Lets a closing server come to its end. A connection without a whole request is closed at once: Node takes one
 * on which nothing has come yet for a busy one, and browsers and load balancers keep such ones ahead of need. A
 * connection that finishes its request is told to close instead of being kept for another. What is still there after `DRAIN_MS` is cut.
 */
export function endConnectionsOnClose(fastify: FastifyInstance): void {
  const { server } = fastify;
  const latestResponses = new Map<Socket, ServerResponse | undefined>();
  server.on('connection', (socket: Socket) => {
    latestResponses.set(socket, undefined);
    socket.once('close', () => latestResponses.delete(socket));
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    latestResponses.set(socket, response);
  });

  fastify.addHook('preClose', async () => {
    for (const [socket, response] of latestResponses) {
      if (!response?.req.complete) socket.destroy();
      else if (!response.headersSent) response.setHeader('connection', 'close');
    }
    setTimeout(() => server.closeAllConnections(), DRAIN_MS).unref();
  });
}
