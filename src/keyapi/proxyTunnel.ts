import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { hostAndPort } from '../domain/hostAndPort.ts';

/** After how long an idle connection is probed by TCP. As undici's for direct connections. */
const KEEP_ALIVE_MS = 60_000;

/** A proxy cannot be reached, or refuses to connect. It never got a request to KeyAPI. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';

  /**
   * @param proxy Its credentials are not part of the message.
   * @param status The HTTP status of its refusal; undefined without a response.
   */
  constructor(
    proxy: URL,
    problem: string,
    readonly status?: number,
    override readonly cause?: unknown,
  ) {
    super(`proxy ${proxy.protocol}//${proxy.host}: ${problem}`);
  }
}

/** A connection through a proxy. */
interface TunnelOptions {
  readonly proxy: URL;
  /** The other end, as `host:port`. */
  readonly destination: string;
  /** Aborts while the tunnel is not open. */
  readonly signal: AbortSignal;
}

/**
 * Has a proxy connect to `destination` (HTTP's CONNECT). The proxy learns nothing but its own credentials and the
 * destination.
 *
 * @returns The connection, on which TLS may start.
 * @throws {ProxyError}
 */
export async function openTunnel({ proxy, destination, signal }: TunnelOptions): Promise<Socket> {
  const request = createConnectRequest(proxy, destination);
  const abort = (): void => void request.destroy(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    request.end();
    const [response, socket, head] = (await once(request, 'connect')) as [IncomingMessage, Socket, Buffer];
    const { statusCode = 0 } = response;
    if (statusCode >= 200 && statusCode < 300) return prepare(socket, head);
    socket.on('error', () => undefined).destroy();
    throw new ProxyError(
      proxy,
      `expected HTTP 200 to CONNECT ${destination}, but got: ${statusCode}`,
      statusCode,
    );
  } catch (error) {
    throw error instanceof ProxyError ? error : toProxyError(proxy, error);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The error of a connection to the proxy itself. */
export function toProxyError(proxy: URL, error: unknown): ProxyError {
  const { message, code = 'unknown error' } = error as NodeJS.ErrnoException;
  // The error of a host with several addresses has no message.
  return new ProxyError(proxy, message || code, undefined, error);
}

/** The header with the credentials of a proxy; none if it has none. */
export function toProxyHeaders({ username, password }: URL): Record<string, string> {
  if (`${username}${password}` === '') return {};
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` };
}

function createConnectRequest(proxy: URL, destination: string): ClientRequest {
  const { host, port } = hostAndPort(proxy);
  return (proxy.protocol === 'https:' ? requestHttps : requestHttp)({
    method: 'CONNECT',
    host,
    port,
    path: destination,
    headers: { host: destination, connection: 'keep-alive', ...toProxyHeaders(proxy) },
    // Otherwise Node would take it from the Host header, which names the destination.
    servername: isIP(host) === 0 ? host : '',
    // The global agent may use a proxy of its own (NODE_USE_ENV_PROXY).
    agent: false,
  });
}

/** The options of a direct connection, and what the proxy may have sent too early. */
function prepare(socket: Socket, head: Buffer): Socket {
  if (head.length > 0) socket.unshift(head);
  // Whoever uses the connection learns of errors from the TLS socket above it.
  socket.on('error', () => undefined);
  return socket.setKeepAlive(true, KEEP_ALIVE_MS).setNoDelay(true);
}
