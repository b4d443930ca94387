import type { ServerResponse } from 'node:http';
import { Server, Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** How long requests in flight may take to finish once the server closes, in milliseconds. */
export const DRAIN_MS = 10_000;
/** When nothing new has come for so long, all that was sent before the server closed has been read. */
const QUIET_MS = 20;
/** On a busy server something new comes all the time. */
const LAST_CALL_MS = 500;

/** How far a closing server is. */
export interface Drain {
  /** True from the moment that it closes. */
  readonly isDraining: () => boolean;
}

/**
 * Lets a closing server come to its end, and lose nothing. What clients had sent when it began to close is read and carried
 * out, although it still lies in the socket; what comes later is refused, while the server goes on listening, so that
 * whoever asks learns why. Each answer ends its connection. Where nothing is in flight any more, or after `DRAIN_MS`, all
 * connections are cut: Node would take one on which nothing, or half a request, has come for a busy one, and browsers
 * and load balancers keep such ones ahead of need.
 *
 * @param refuse Answers a request for `/graphql` that came too late.
 * @param monotonic Milliseconds from an arbitrary start.
 */
export function drainOnClose(
  fastify: FastifyInstance,
  refuse: (request: FastifyRequest, reply: FastifyReply) => void,
  monotonic: () => number,
): Drain {
  const latestResponses = new Map<Socket, ServerResponse | undefined>();
  let arrivals = 0;
  let isDraining = false;
  let isRefusing = false;

  function watch(socket: Socket): void {
    arrivals++;
    latestResponses.set(socket, undefined);
    socket.once('close', () => latestResponses.delete(socket));
  }

  fastify.server.on('connection', watch);
  fastify.addHook('onRequest', (request, reply, done) => {
    const { socket } = request.raw;
    // For a host of several addresses Fastify listens with more servers than this one; an injected request has no socket.
    if (!latestResponses.has(socket) && socket instanceof Socket) watch(socket);
    if (latestResponses.has(socket)) latestResponses.set(socket, reply.raw);
    arrivals++;
    if (isRefusing && request.routeOptions.url === '/graphql') refuse(request, reply);
    else done();
  });

  fastify.addHook('preClose', async () => {
    isDraining = true;
    // Without a listener there are no connections to wait for.
    if (!fastify.server.listening) return;
    const until = monotonic() + DRAIN_MS;
    // Fastify itself tells this to whoever comes from now on.
    for (const response of latestResponses.values()) {
      if (response && !response.headersSent) response.setHeader('connection', 'close');
    }
    await readWhatWasSent();
    isRefusing = true;
    while ([...latestResponses.values()].some(isInFlight) && monotonic() < until) await sleep(QUIET_MS);
    // Who came while the process was busy waits to be let in still, and is told as well.
    await readWhatWasSent();
    // Not as an HTTP server does, which would cut connections that a request lies on: it is told first that it is refused.
    Server.prototype.close.call(fastify.server);
    await readWhatWasSent();
    for (const socket of latestResponses.keys()) socket.destroy();
  });

  async function readWhatWasSent(): Promise<void> {
    const until = monotonic() + LAST_CALL_MS;
    let seen = -1;
    while (seen !== arrivals && monotonic() < until) {
      seen = arrivals;
      await sleep(QUIET_MS);
      // Timers come before sockets: after a turn that took long, nobody has looked at those yet.
      await nextTurn();
    }
  }

  return { isDraining: () => isDraining };
}

/** Whether a whole request has come that is not answered yet. Of several at once on a connection, the last is answered last. */
function isInFlight(response: ServerResponse | undefined): boolean {
  if (!response?.req.complete) return false;
  return !response.writableFinished && !response.destroyed;
}
