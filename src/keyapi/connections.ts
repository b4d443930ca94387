import type { Socket } from 'node:net';
import { buildConnector } from 'undici';

/** Tells of a failed call whether anything of its answer had come. */
export type HasAnswerBegun = (failure: unknown) => boolean;

/** The connections of one pool, watched for bytes that came in. */
export interface Connections {
  /** Opens a connection: undici's own way. */
  readonly connect: buildConnector.connector;
  /** Call it when a request is sent; what it returns, with the error that the request failed with. */
  readonly watch: () => HasAnswerBegun;
}

/**
 * Finds out what undici does not say of a broken connection: whether it broke before a single byte of the answer
 * came, which makes a request safe to repeat. Holds as long as no connection carries two requests at once.
 */
export function createConnections(): Connections {
  const openConnection = buildConnector({});
  const open = new Map<number, Socket>();
  /** Connections by the error that ended them. */
  const broken = new WeakMap<object, { readonly port: number; readonly bytesRead: number }>();

  function connect(options: buildConnector.Options, callback: buildConnector.Callback): void {
    openConnection(options, (error, socket) => {
      if (error) return callback(error, null);
      const port = socket.localPort ?? 0;
      open.set(port, socket);
      socket.once('error', (failure) => void broken.set(failure, { port, bytesRead: socket.bytesRead }));
      socket.once('close', () => {
        if (open.get(port) === socket) open.delete(port);
      });
      callback(null, socket);
    });
  }

  function watch(): HasAnswerBegun {
    const before = new Map([...open].map(([port, { bytesRead }]) => [port, bytesRead]));
    return (failure) => {
      const ended = broken.get(failure as object) ?? socketOf(failure);
      return ended !== undefined && ended.bytesRead > (before.get(ended.port) ?? 0);
    };
  }

  return { connect, watch };
}

/** undici's SocketError says of which connection it speaks. */
function socketOf(failure: unknown): { port: number; bytesRead: number } | undefined {
  const { socket } = failure as { socket?: { localPort?: number; bytesRead?: number } };
  return socket && { port: socket.localPort ?? 0, bytesRead: socket.bytesRead ?? 0 };
}
