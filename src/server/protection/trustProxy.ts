import { compile } from '@fastify/proxy-addr';
import { readAddress, withoutZone } from './clientAddress.ts';

/** Which proxies' `X-Forwarded-For` is trusted: none, all, a number of proxies in front, or those with these addresses. */
export type TrustedProxies = boolean | number | readonly string[];

/** Whether an entry of `X-Forwarded-For`, or the address of a connection (hop 0), is that of a trusted proxy. */
type IsTrusted = (entry: string, hop: number) => boolean;

/**
 * Fastify's option `trustProxy`. Fastify trusts no proxy when it is given a number, so hops are counted here: the last ones
 * are the operator's proxies. It recognises a proxy by its address only as long as that has no port, no brackets, and no
 * zone such as `br-lan`.
 */
export function toTrustProxy(trusted: TrustedProxies): boolean | IsTrusted {
  if (typeof trusted === 'boolean') return trusted;
  if (typeof trusted === 'number') return (_entry, hop) => hop < trusted;
  const isTrusted = compile([...trusted]);
  return (entry, hop) => {
    const address = readAddress(entry);
    if (address === undefined) return false;
    // An address in `trusted` may have a zone: then the zone counts.
    return isTrusted(address, hop) || isTrusted(withoutZone(address), hop);
  };
}
