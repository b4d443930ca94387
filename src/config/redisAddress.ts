import { z } from 'zod';
import { canDecode, isUrlHost } from './urlParts.ts';

/** What `REDIS_URL` says. */
export interface RedisAddress {
  /** `rediss:`. */
  readonly isTls: boolean;
  readonly username: string;
  readonly password: string;
  /** One for each host: several of a cluster, or of sentinels. */
  readonly urls: readonly URL[];
  readonly database: number;
}

/** Parses `redis://user:password@host:port,host:port/database`. */
export function toRedisAddress(error: string) {
  return z.string().transform((text, { addIssue }): RedisAddress => {
    const fault = findFault(text);
    const addresses = splitHosts(text);
    const urls = addresses.every(isRedisUrl) ? addresses.map((address) => new URL(address)) : [];
    const [first] = urls;
    if (fault === undefined && first) return toAddress(first, urls);
    addIssue(`${error}${fault ?? ''}`);
    return z.NEVER;
  });
}

/** What completes the expectation after a mistake that other clients do not refuse. */
function findFault(text: string): string | undefined {
  if (isSocket(text)) return ', not the path of a socket: Redis is reached by TCP';
  // Otherwise the last host would be the only one, and all before it a password.
  return /@[^@]*,.*@/.test(text)
    ? ', with user:password@ only once, before all hosts (and @ in a password as %40)'
    : undefined;
}

/** The address of each host in an address of several: with the same scheme, credentials and database. */
export function splitHosts(text: string): string[] {
  const [, before = '', hosts = text, after = ''] = /^(\w+:\/\/(?:.*@)?)([^@/]*)(.*)$/s.exec(text) ?? [];
  return hosts.split(',').map((host) => `${before}${host.trim()}${after}`);
}

function toAddress(first: URL, urls: readonly URL[]): RedisAddress {
  return {
    isTls: first.protocol === 'rediss:',
    username: decodeURIComponent(first.username),
    password: decodeURIComponent(first.password),
    urls,
    database: Number(first.pathname.slice(1)),
  };
}

/** Credentials must decode here: decoding them later would throw an error that contains the password. */
function isRedisUrl(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname, pathname, username, password, search, hash } = new URL(address);
  const isWhole = /^rediss?:$/.test(protocol) && isUrlHost(hostname) && /^(\/\d{0,4})?$/.test(pathname);
  return isWhole && `${search}${hash}` === '' && [username, password].every(canDecode);
}

/** A path, or an address of other clients for one. */
function isSocket(text: string): boolean {
  return (
    /^(unix:|redis(s)?\+socket:|redis\+unix:|\.{0,2}\/)/i.test(text) ||
    /^rediss?:\/\/(\/|.*\.sock(et)?$)/i.test(text)
  );
}
