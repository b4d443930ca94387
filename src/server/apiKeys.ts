import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';

/** Tells whether a request brings one of the keys. */
export type IsAuthenticated = (request: FastifyRequest) => boolean;

/**
 * Accepts requests that bring one of `keys`, as `Authorization: Bearer` or `x-api-key`. Compares hashes, all of
 * them, so that the time it takes tells nothing of a key.
 */
export function createAuthentication(keys: readonly string[]): IsAuthenticated {
  const hashes = keys.map(hash);
  return ({ headers }) => {
    const [, bearer] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
    const sent = bearer ?? headers['x-api-key'];
    if (typeof sent !== 'string') return false;
    const sentHash = hash(sent);
    return hashes.filter((known) => timingSafeEqual(known, sentHash)).length > 0;
  };
}

function hash(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
