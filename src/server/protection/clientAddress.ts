import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';

/** To read one takes longer than all the rest of counting a request. */
const networks = new LRUCache<string, string>({ max: 10_000, memoMethod: toNetwork });

/**
 * The address that a request's client is known by. Of IPv6 the /64 network: one customer has at least that, and could
 * send each request from another address of it.
 */
export function toClientAddress({ ip, socket }: Pick<FastifyRequest, 'ip' | 'socket'>): string {
  // Nobody checks what stands in `X-Forwarded-For`.
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

/** The last two groups may be written as IPv4. */
function toGroups(text: string): string[] {
  return text === '' ? [] : text.replace(/[\d.]+\.[\d.]+/, '0:0').split(':');
}
