import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as sendRequest,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Certificate } from './certificate.ts';

interface HttpProxyOptions {
  /** The port on this machine that all hosts lead to. */
  readonly targetPort: number;
  /** Clients reach the proxy over TLS. */
  readonly certificate?: Certificate;
  /** Takes over a CONNECT; by default the proxy connects. */
  readonly onConnect?: (request: IncomingMessage, socket: Duplex) => void;
}

export interface HttpProxy {
  readonly url: URL;
  /** The destination and the headers of each CONNECT. */
  readonly connects: { readonly destination: string; readonly headers: IncomingHttpHeaders }[];
  /** The target and the headers of each request that was sent to the proxy itself. */
  readonly forwarded: { readonly target: string; readonly headers: IncomingHttpHeaders }[];
  /** Connections of clients that are open. */
  readonly connections: () => number;
  close(): Promise<void>;
}

/** Starts an HTTP proxy, which all hosts are behind: no name is resolved. */
export async function startHttpProxy({
  targetPort,
  certificate,
  onConnect,
}: HttpProxyOptions): Promise<HttpProxy> {
  const connects: HttpProxy['connects'] = [];
  const forwarded: HttpProxy['forwarded'] = [];
  const sockets = new Set<Duplex>();
  const server = certificate ? createTlsServer(certificate) : createServer();

  const track = (socket: Duplex): void => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  };
  const tunnel = (socket: Duplex): void => {
    const target = connect(targetPort, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(target).pipe(socket);
    });
    target.on('error', () => undefined).on('close', () => socket.destroy());
    socket.on('close', () => target.destroy());
  };
  server.on(certificate ? 'secureConnection' : 'connection', track);
  server.on('tlsClientError', () => undefined);
  server.on('connect', (request, socket) => {
    connects.push({ destination: request.url ?? '', headers: request.headers });
    // Ends when the client does, even if nobody reads from it.
    socket.on('end', () => socket.destroy()).resume();
    if (onConnect) onConnect(request, socket);
    else tunnel(socket);
  });
  server.on('request', (request, response) => {
    const { url = '', headers, method } = request;
    forwarded.push({ target: url, headers });
    const { pathname, search } = new URL(url);
    const { 'proxy-authorization': _ofProxy, ...others } = headers;
    const options = { host: '127.0.0.1', port: targetPort, method, path: pathname + search, headers: others };
    const forward = sendRequest(options, (received) => {
      response.writeHead(received.statusCode ?? 0, received.headers);
      received.pipe(response);
    });
    forward.on('error', () => response.destroy()).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`${certificate ? 'https' : 'http'}://127.0.0.1:${port}`),
    connects,
    forwarded,
    connections: () => sockets.size,
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      if (server.listening) await once(server, 'close');
    },
  };
}

/** Refuses a CONNECT with this status. */
export function refuse(status: number): (request: IncomingMessage, socket: Duplex) => void {
  return (_request, socket) =>
    void socket.end(`HTTP/1.1 ${status} Refused\r\ncontent-length: 2\r\nproxy-authenticate: Basic\r\n\r\nno`);
}
