import { once } from 'node:events';
import { isIP, connect as openTcp, type Socket } from 'node:net';
import { connect as openTls } from 'node:tls';
import { hostAndPort } from '../domain/hostAndPort.ts';

/**
 * Connects to the host of a URL, for https over TLS.
 *
 * @param tunnel A connection that already leads there.
 */
export async function openConnection(url: URL, signal: AbortSignal, tunnel?: Socket): Promise<Socket> {
  const { host, port } = hostAndPort(url);
  const isTls = url.protocol === 'https:';
  // A name is sent to a server that has several certificates; an address must not be.
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = isTls
    ? openTls({ host, port, ...(tunnel && { socket: tunnel }), ...servername })
    : openTcp({ host, port });
  const abort = (): void => void socket.destroy(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await once(socket, isTls ? 'secureConnect' : 'connect');
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Runs a check that is aborted, as a connection that timed out, after so many milliseconds. */
export async function withinTime<T>(timeoutMs: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const error = Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' });
  const timer = setTimeout(() => abort.abort(error), timeoutMs);
  try {
    return await run(abort.signal);
  } finally {
    clearTimeout(timer);
  }
}
