import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';

/** Whether any byte of the response had arrived when a call failed. */
type HasResponseBegun = (failure: unknown) => boolean;

/** The connections of one pool, which count the bytes that arrive. */
export interface Connections {
  /** Opens a connection, and counts its bytes. */
  readonly connect: buildConnector.connector;
  /** Called when a request starts; the function that it returns is called with the error of that request. */
  readonly watch: () => HasResponseBegun;
}

/**
 * Finds out what undici does not report about a broken connection: whether it broke before a single byte of the
 * response arrived, which makes the request safe to retry. Works as long as no connection carries two requests at once.
 */
export function createConnections(openConnection: buildConnector.connector): Connections {
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

  function watch(): HasResponseBegun {
    const before = new Map([...open].map(([port, { bytesRead }]) => [port, bytesRead]));
    return (failure) => {
      const ended = broken.get(failure as object) ?? socketOf(failure);
      return ended !== undefined && ended.bytesRead > (before.get(ended.port) ?? 0);
    };
  }

  return { connect, watch };
}

/** The connection of undici's SocketError. */
function socketOf(failure: unknown): { port: number; bytesRead: number } | undefined {
  const { socket } = failure as { socket?: { localPort?: number; bytesRead?: number } };
  return socket && { port: socket.localPort ?? 0, bytesRead: socket.bytesRead ?? 0 };
}
