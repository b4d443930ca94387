import { describeProxy, type KeyapiProxy } from '../config/chooseProxy.ts';
import { addressOf, type HostAndPort, hostAndPort } from '../domain/hostAndPort.ts';
import type { ProxyError } from '../keyapi/proxyTunnel.ts';
import { explainConnection, type Trouble } from './explainConnection.ts';

/** Explains why a proxy does not lead to KeyAPI, which is at `end`. */
export function explainProxy(
  { status, cause, message }: ProxyError,
  proxy: KeyapiProxy,
  end: HostAndPort,
): Trouble {
  const { url, variable } = proxy;
  const name = describeProxy(proxy);
  const destination = addressOf(end);
  // tinyproxy responds with 401 to a wrong password.
  if (status === 407 || status === 401) return explainCredentials(proxy, status);
  if (status === 403) {
    return {
      found: `${name} does not allow connections to ${destination} (HTTP 403)`,
      advice: `Have ${destination} allowed in the proxy, or add ${end.host} to NO_PROXY if this machine can reach it directly`,
    };
  }
  if (status !== undefined) {
    return {
      found: `${name} does not connect to ${destination} (HTTP ${status})`,
      advice: `Check the log of the proxy, whether it can reach ${destination}, and that ${variable} is an HTTP proxy`,
    };
  }
  const trouble = explainConnection(cause, { variable, ...hostAndPort(url) });
  if (trouble) return { ...trouble, found: `${name} cannot be reached: ${trouble.found}` };
  return { found: `${name} cannot be used: ${message}`, advice: `Check that ${variable} is an HTTP proxy` };
}

/** The proxy wants a user and a password, or others than it got. */
export function explainCredentials(proxy: KeyapiProxy, status = 407): Trouble {
  const { url, variable } = proxy;
  const has = `${url.username}${url.password}` !== '';
  return {
    found: `${describeProxy(proxy)} ${has ? 'does not accept the user or the password' : 'requires a user and a password'} (HTTP ${status})`,
    advice: `${has ? 'Correct' : 'Add'} them in ${variable} (http://user:password@host:port); write % @ : / ? # in them as %25 %40 %3A %2F %3F %23`,
  };
}
