import type { Socket } from 'node:net';
import { buildConnector } from 'undici';
import type { Clock } from '../domain/clock.ts';
import { addressOf } from '../domain/hostAndPort.ts';
import { openTunnel, toProxyError, toProxyHeaders } from './proxyTunnel.ts';

/** The way to KeyAPI: direct, or through a proxy. */
export interface Route {
  /** Where connections go to. */
  readonly origin: string;
  readonly openConnection: buildConnector.connector;
  /** Precedes the path of a request. */
  readonly pathPrefix: string;
  /** Headers of every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Ends connections that are being opened. */
  close(): void;
}

/** How long a connection through a proxy may take to open. undici has the same limit for direct connections. */
export const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Creates the way to `baseUrl`. Through a proxy, https is tunnelled, and http is forwarded, as by curl: the proxy gets
 * whole requests, with the token.
 *
 * Not undici's ProxyAgent: a proxy that does not respond to CONNECT would occupy a connection for 5 minutes, a refusal
 * has its status only in a text, and a user without a password is not sent.
 */
export function createRoute(baseUrl: URL, proxy: URL | undefined, timers: Clock['timers']): Route {
  if (!proxy) return createDirectRoute(baseUrl);
  return baseUrl.protocol === 'https:'
    ? createTunnelRoute(baseUrl, proxy, timers)
    : createForwardRoute(baseUrl, proxy);
}

function createDirectRoute({ origin }: URL): Route {
  return { origin, openConnection: buildConnector({}), pathPrefix: '', headers: {}, close: () => undefined };
}

function createForwardRoute(baseUrl: URL, proxy: URL): Route {
  const open = buildConnector({});
  return {
    origin: proxy.origin,
    openConnection: ({ servername: _ofKeyapi, ...options }, callback) =>
      open(options, (error, socket) => {
        if (error) callback(toProxyError(proxy, error), null);
        else callback(null, socket);
      }),
    pathPrefix: baseUrl.origin,
    headers: { host: baseUrl.host, ...toProxyHeaders(proxy) },
    close: () => undefined,
  };
}

function createTunnelRoute({ origin }: URL, proxy: URL, timers: Clock['timers']): Route {
  // The timer below is for the tunnel and TLS together.
  const openTls = buildConnector({ timeout: 0 });
  const opening = new Set<AbortController>();

  async function open(options: buildConnector.Options): Promise<Socket> {
    const abort = new AbortController();
    const expire = (): void => abort.abort(new Error(`no connection within ${CONNECT_TIMEOUT_MS / 1000} s`));
    const timer = timers.setTimeout(expire, CONNECT_TIMEOUT_MS);
    opening.add(abort);
    try {
      const { signal } = abort;
      const tunnel = await openTunnel({ proxy, destination: toAuthority(options), signal });
      return await startTls(tunnel, options, signal);
    } finally {
      timers.clearTimeout(timer);
      opening.delete(abort);
    }
  }

  /** Verifies the certificate of KeyAPI: the proxy cannot stand in for it. */
  function startTls(tunnel: Socket, options: buildConnector.Options, signal: AbortSignal): Promise<Socket> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => tunnel.destroy(), { once: true });
      openTls({ ...options, httpSocket: tunnel }, (error, socket) => {
        if (error) reject(signal.aborted ? signal.reason : error);
        else resolve(socket);
      });
    });
  }

  return {
    origin,
    openConnection: (options, callback) =>
      void open(options).then(
        (socket) => callback(null, socket),
        (error: Error) => callback(error, null),
      ),
    pathPrefix: '',
    headers: {},
    close: () => {
      for (const abort of opening) abort.abort(new Error('closed'));
    },
  };
}

function toAuthority({ hostname, port }: buildConnector.Options): string {
  return addressOf({ host: hostname, port: Number(port || 443) });
}
