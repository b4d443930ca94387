import type { ServerResponse } from 'node:http';
import { Server } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Connections } from './http/trackConnections.ts';

/** How long requests in flight may take once the server closes, in milliseconds. */
export const DRAIN_MS = 10_000;
/** When nothing has arrived for this long, all that was sent before the server closed has been read. */
const QUIET_MS = 20;
/** Bounds the wait for that: on a busy server something arrives all the time. */
const MAX_READ_MS = 500;

/** The state of a closing server. */
interface Drain {
  /** True from the moment that the server closes. */
  readonly isDraining: () => boolean;
  /** True once operations that arrive must be refused: too little time is left for them. */
  readonly isRefusing: () => boolean;
}

/** See `drainOnClose`. */
interface DrainOptions {
  readonly connections: Connections;
  /** Milliseconds from an arbitrary start. */
  readonly monotonic: () => number;
}

/**
 * Lets a closing server finish without losing a request.
 *
 * 1. Requests that clients had sent when it began to close are read from their sockets and executed.
 * 2. Later ones are refused, while the server still listens, so that their senders get a reason. Every response closes
 *    its connection.
 * 3. When nothing is in flight any more, or after `DRAIN_MS`, the remaining connections are cut. Node would not close
 *    connections on which no complete request has arrived; browsers and load balancers open such connections in
 *    advance.
 */
export function drainOnClose(fastify: FastifyInstance, { connections, monotonic }: DrainOptions): Drain {
  const { latestResponses } = connections;
  let isDraining = false;
  let isRefusing = false;

  fastify.addHook('preClose', async () => {
    isDraining = true;
    // Without a listener there are no connections to wait for.
    if (!fastify.server.listening) return;
    const until = monotonic() + DRAIN_MS;
    // Later responses get this header from the front, or from Fastify.
    for (const response of latestResponses.values()) {
      if (response && !response.headersSent) response.setHeader('connection', 'close');
    }
    await readWhatWasSent();
    isRefusing = true;
    while ([...latestResponses.values()].some(isInFlight) && monotonic() < until) await sleep(QUIET_MS);
    // Connections that arrived while the process was busy have not been accepted yet: they are refused as well.
    await readWhatWasSent();
    // Not `http.Server.close`: it would cut connections on which a request has arrived, before that is refused.
    Server.prototype.close.call(fastify.server);
    await readWhatWasSent();
    // What arrived last is refused, and that is sent at the end of the turn.
    await nextTurn();
    for (const socket of latestResponses.keys()) socket.destroy();
  });

  async function readWhatWasSent(): Promise<void> {
    const until = monotonic() + MAX_READ_MS;
    let seen = -1;
    while (seen !== connections.arrivals() && monotonic() < until) {
      seen = connections.arrivals();
      await sleep(QUIET_MS);
      // Timers run before sockets are read: after a long turn of the event loop, nothing has been read yet.
      await nextTurn();
    }
  }

  return { isDraining: () => isDraining, isRefusing: () => isRefusing };
}

/**
 * Whether a whole request has arrived whose response is not finished. If a connection has several requests, the last
 * one gets its response last.
 */
function isInFlight(response: ServerResponse | undefined): boolean {
  if (!response?.req.complete) return false;
  return !response.writableFinished && !response.destroyed;
}
