import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { all, compile } from '@fastify/proxy-addr';
import { memoise } from '../../domain/memoise.ts';
import { readAddress, toClientAddress, withoutZone } from './clientAddress.ts';

/** Which proxies' `X-Forwarded-For` is trusted: none, all, a number of proxies in front, or those with these addresses. */
export type TrustedProxies = boolean | number | readonly string[];

/** Whether an entry of `X-Forwarded-For`, or the address of a connection (hop 0), is that of a trusted proxy. */
type IsTrusted = (entry: string, hop: number) => boolean;

/**
 * Creates the function that reads the address of a request's client: the last one in `X-Forwarded-For` that no trusted proxy
 * has, else that of the connection.
 */
export function createAddressReader(trusted: TrustedProxies): (request: IncomingMessage) => string {
  if (trusted === false) return ({ socket }) => addressOfConnection(socket);
  const isTrusted = toIsTrusted(trusted);
  return (request) => toClientAddress({ ip: all(request, isTrusted).at(-1) ?? '', socket: request.socket });
}

/** It stays the same as long as the connection is open. */
const addressOfConnection = memoise((socket: Socket) =>
  toClientAddress({ ip: socket.remoteAddress ?? '', socket }),
);

/**
 * Which addresses are those of trusted proxies. Given a number, the last hops are the operator's proxies. A proxy's address is
 * recognised with a port, in brackets, or with a zone such as `br-lan`, too.
 */
export function toIsTrusted(trusted: TrustedProxies): IsTrusted {
  if (typeof trusted === 'boolean') return () => trusted;
  if (typeof trusted === 'number') return (_entry, hop) => hop < trusted;
  const isTrusted = compile([...trusted]);
  return (entry, hop) => {
    const address = readAddress(entry);
    if (address === undefined) return false;
    // An address in `trusted` may have a zone: then the zone counts.
    return isTrusted(address, hop) || isTrusted(withoutZone(address), hop);
  };
}
