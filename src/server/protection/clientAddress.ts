import { isIP, type Socket } from 'node:net';
import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';

/** What some proxies write in `X-Forwarded-For`: an address with a port, an IPv6 address in brackets. */
const WITH_PORT = /^(?:\[([^\]]+)\]|([\d.]+))(?::\d{1,5})?$/;

/** Parsing an address takes longer than all other work of counting a request. */
const networks = new LRUCache<string, string>({ max: 10_000, memoMethod: toNetwork });

/** A connection, and the address of the client that sent a request on it, as far as proxies are trusted. */
interface Sender {
  readonly ip: string;
  readonly socket: Pick<Socket, 'remoteAddress'>;
}

/**
 * The address that identifies a request's client, the same for all spellings of it. For IPv6 it is the /64 network: a
 * single customer has at least that, and could send each request from another address in it.
 */
export function toClientAddress({ ip, socket }: Sender): string {
  const address = readAddress(ip) ?? socket.remoteAddress ?? '';
  return isIP(address) === 6 ? networks.memo(address) : address;
}

/**
 * The address in an entry of `X-Forwarded-For`, without brackets and port. Undefined for anything else, which an entry may
 * contain as well.
 */
export function readAddress(entry: string): string | undefined {
  const [, bracketed, bare] = WITH_PORT.exec(entry) ?? [];
  const address = bracketed ?? bare ?? entry;
  return isIP(address) ? withoutDots(address) : undefined;
}

/** An IPv6 address whose end was written as IPv4, in groups alone: ipaddr.js reads `::192.0.2.1` as `::ffff:192.0.2.1`. */
function withoutDots(address: string): string {
  return address.replace(/:(\d+)\.(\d+)\.(\d+)\.(\d+)/, (_text, ...octets) => {
    const [a = 0, b = 0, c = 0, d = 0] = octets.slice(0, 4).map(Number);
    return `:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
}

/** An IPv6 address without its zone, which has a meaning only on the machine that wrote it. */
export function withoutZone(address: string): string {
  return address.split('%', 1)[0] ?? '';
}

function toNetwork(address: string): string {
  const parsed = ipaddr.IPv6.parse(withoutZone(address));
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString();
  const groups = parsed.parts.slice(0, 4).map((group) => group.toString(16));
  return `${groups.join(':')}::/64`;
}
