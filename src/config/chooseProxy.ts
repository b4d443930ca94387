import { BlockList, isIP } from 'node:net';
import { hostAndPort } from '../domain/hostAndPort.ts';
import { maskCredentials } from './secrets.ts';

/** A proxy on the way to KeyAPI. */
export interface KeyapiProxy {
  /** May have credentials. */
  readonly url: URL;
  /** The environment variable that names it. */
  readonly variable: string;
}

/** A proxy as it may be shown: its address without credentials, and its variable. */
export function describeProxy({ url, variable }: KeyapiProxy): string {
  return `${maskCredentials(url)} (${variable})`;
}

/** The proxy for KeyAPI's address, if there is one, and whether `NO_PROXY` excludes the address. */
interface ChosenProxy {
  /** The proxy that requests go through. */
  readonly proxy: KeyapiProxy | undefined;
  /** The proxy that they would go through without `NO_PROXY`. */
  readonly bypassedProxy: KeyapiProxy | undefined;
}

/** Chooses the proxy by the protocol of an address, as curl does: `HTTPS_PROXY` for https, `HTTP_PROXY` for http. */
export function chooseProxy(
  address: URL,
  proxies: Readonly<Record<'https' | 'http', KeyapiProxy | undefined>>,
  exceptions: readonly string[],
): ChosenProxy {
  const named = address.protocol === 'https:' ? proxies.https : proxies.http;
  const isException = exceptions.some((exception) => matches(address, exception));
  return { proxy: isException ? undefined : named, bypassedProxy: isException ? named : undefined };
}

/** Whether an item of `NO_PROXY` names the host of an address, and its port if the item has one. */
function matches(address: URL, exception: string): boolean {
  if (exception === '*') return true;
  const { host, port } = splitPort(exception.toLowerCase());
  const end = hostAndPort(address);
  if (port !== undefined && Number(port) !== end.port) return false;
  const named = trimDot(host.replace(/^\*?\./, ''));
  const actual = trimDot(end.host);
  if (named === '') return false;
  if (isIP(actual) !== 0) return isInNetwork(actual, named);
  return actual === named || actual.endsWith(`.${named}`);
}

/** Splits `host:port` and `[address]:port`. An IPv6 address without brackets has no port. */
function splitPort(text: string): { readonly host: string; readonly port: string | undefined } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
  return { host: bracketed ?? plain ?? text, port };
}

function trimDot(host: string): string {
  return host.replace(/\.$/, '');
}

/** Whether an address is this one, however it is written, or belongs to this network, such as 10.0.0.0/8. */
function isInNetwork(address: string, network: string): boolean {
  const [base = '', bits, ...others] = network.split('/');
  const version = isIP(base);
  const max = version === 4 ? 32 : 128;
  if (version === 0 || version !== isIP(address) || others.length > 0) return false;
  if (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= max)) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(base, bits === undefined ? max : Number(bits), family);
  return list.check(address, family);
}
