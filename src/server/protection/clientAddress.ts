import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';

/** Parsing an address takes longer than all other work of counting a request. */
const networks = new LRUCache<string, string>({ max: 10_000, memoMethod: toNetwork });

/**
 * The address that identifies a request's client. For IPv6 it is the /64 network: a single customer has at least that,
 * and could send each request from another address in it.
 */
export function toClientAddress({ ip, socket }: Pick<FastifyRequest, 'ip' | 'socket'>): string {
  // `X-Forwarded-For` may contain anything.
  const address = isIP(ip) ? ip : (socket.remoteAddress ?? '');
  return isIP(address) === 6 ? networks.memo(address) : address;
}

function toNetwork(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = address.toLowerCase().split('::');
  const groups = toGroups(head);
  const missing = tail === undefined ? 0 : 8 - groups.length - toGroups(tail).length;
  const zeros = Array.from({ length: missing }, () => '0');
  const first = [...groups, ...zeros, ...toGroups(tail ?? '')].slice(0, 4);
  return `${first.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

/** The groups of an IPv6 address; the last two may be written as IPv4. */
function toGroups(text: string): string[] {
  return text === '' ? [] : text.replace(/[\d.]+\.[\d.]+/, '0:0').split(':');
}
