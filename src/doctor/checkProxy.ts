import { describeProxy, type KeyapiProxy } from '../config/chooseProxy.ts';
import { addressOf, hostAndPort } from '../domain/hostAndPort.ts';
import { openTunnel, ProxyError, toProxyError } from '../keyapi/proxyTunnel.ts';
import { explainKeyapi } from './explainKeyapi.ts';
import { explainProxy } from './explainProxy.ts';
import type { Finding } from './finding.ts';
import { openConnection } from './openConnection.ts';

/** Connects to the proxy, and through it to KeyAPI if it is https: an http proxy connects only for a request. */
export async function checkProxy(
  baseUrl: URL,
  proxy: KeyapiProxy,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const destination = addressOf(hostAndPort(baseUrl));
  const name = `the proxy ${describeProxy(proxy)}`;
  const reached: Finding = { part: 'Proxy', state: 'ok', found: `${name} can be reached` };
  try {
    if (baseUrl.protocol !== 'https:') {
      await openProxy(proxy.url, signal);
      const found = `${baseUrl.origin} is requested through ${name}: whether that reaches it, only a call shows`;
      return [reached, { part: 'KeyAPI', state: 'ok', found }];
    }
    const tunnel = await openTunnel({ proxy: proxy.url, destination, signal });
    const socket = await openConnection(baseUrl, signal, tunnel);
    socket.destroy();
    const connects: Finding = { ...reached, found: `${name} connects to ${destination}` };
    return [
      connects,
      { part: 'KeyAPI', state: 'ok', found: `${baseUrl.origin} can be reached over TLS, through ${name}` },
    ];
  } catch (error) {
    if (!(error instanceof ProxyError)) return [reached, explainKeyapi(baseUrl, error)];
    return [{ part: 'Proxy', state: 'fix', ...explainProxy(error, proxy, hostAndPort(baseUrl)) }];
  }
}

async function openProxy(proxy: URL, signal: AbortSignal): Promise<void> {
  try {
    (await openConnection(proxy, signal)).destroy();
  } catch (error) {
    throw toProxyError(proxy, error);
  }
}
