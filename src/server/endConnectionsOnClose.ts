import type { IncomingMessage } from 'node:http';
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
  const latestRequests = new Map<Socket, IncomingMessage | undefined>();
  server.on('connection', (socket: Socket) => {
    latestRequests.set(socket, undefined);
    socket.once('close', () => latestRequests.delete(socket));
  });
  server.on('request', (request: IncomingMessage) => void latestRequests.set(request.socket, request));

  let closing = false;
  fastify.addHook('onSend', (_request, reply, payload, done) => {
    if (closing) reply.header('connection', 'close');
    done(null, payload);
  });
  fastify.addHook('preClose', async () => {
    closing = true;
    for (const [socket, request] of latestRequests) if (!request?.complete) socket.destroy();
    setTimeout(() => server.closeAllConnections(), DRAIN_MS).unref();
  });
}
