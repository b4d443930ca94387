import type { KeyapiProxy } from '../config/chooseProxy.ts';
import { maskCredentials } from '../config/secrets.ts';
import { hostAndPort } from '../domain/hostAndPort.ts';
import type { ProxyError } from '../keyapi/proxyTunnel.ts';
import { explainConnection, type Trouble } from './explainConnection.ts';

/** KeyAPI, as the proxy knows it. */
interface ProxyDestination {
  readonly host: string;
  /** `host:port`. */
  readonly destination: string;
}

/** Explains why a proxy does not lead to KeyAPI. */
export function explainProxy(
  { status, cause, message }: ProxyError,
  { url, variable }: KeyapiProxy,
  { host, destination }: ProxyDestination,
): Trouble {
  const name = `${maskCredentials(url)} (${variable})`;
  // tinyproxy responds with 401 to a wrong password.
  if (status === 407 || status === 401) return explainCredentials(name, { url, variable }, status);
  if (status === 403) {
    return {
      found: `${name} does not allow connections to ${destination} (HTTP 403)`,
      advice: `Have ${destination} allowed in the proxy, or add ${host} to NO_PROXY if this machine can reach it directly`,
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
export function explainCredentials(name: string, { url, variable }: KeyapiProxy, status = 407): Trouble {
  const has = `${url.username}${url.password}` !== '';
  return {
    found: `${name} ${has ? 'does not accept the user or the password' : 'requires a user and a password'} (HTTP ${status})`,
    advice: `${has ? 'Correct' : 'Add'} them in ${variable} (http://user:password@host:port); write % @ : / ? # in them as %25 %40 %3A %2F %3F %23`,
  };
}
