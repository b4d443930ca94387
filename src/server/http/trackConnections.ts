import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** The connections of a server. */
export interface Connections {
  /** The latest response of each open connection; undefined before its first request. */
  readonly latestResponses: ReadonlyMap<Socket, ServerResponse | undefined>;
  /** Connections and requests so far: unchanged while nothing arrives. */
  readonly arrivals: () => number;
  /** Starts to track a server; before it listens. */
  track(server: FastifyInstance): void;
}

/** Tracks the open connections of one server and the latest response of each. */
export function trackConnections(): Connections {
  const latestResponses = new Map<Socket, ServerResponse | undefined>();
  let arrivals = 0;

  function add(socket: Socket): void {
    arrivals++;
    latestResponses.set(socket, undefined);
    socket.once('close', () => latestResponses.delete(socket));
  }

  function addResponse(socket: Socket, response: ServerResponse): void {
    arrivals++;
    // Fastify listens on a host's further addresses with servers of its own. An injected request has no socket.
    if (!latestResponses.has(socket) && socket instanceof Socket) add(socket);
    if (latestResponses.has(socket)) latestResponses.set(socket, response);
  }

  return {
    latestResponses,
    arrivals: () => arrivals,
    track: (fastify) => {
      fastify.server.on('connection', add);
      // Before Fastify handles the request: it may respond at once.
      fastify.server.prependListener('request', ({ socket }, response) => addResponse(socket, response));
      fastify.addHook('onRequest', ({ raw }, reply, done) => {
        if (latestResponses.get(raw.socket) !== reply.raw) addResponse(raw.socket, reply.raw);
        done();
      });
    },
  };
}
