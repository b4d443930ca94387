import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';

/** A key that clients may send. */
export interface ApiKey {
  readonly key: string;
  /**
   * Names the client in logs and for limits: keys with the same name are one client. By default a part of the key's
   * hash.
   */
  readonly name?: string | undefined;
}

/** The name of a request's key; undefined when the request has no valid key. */
type FindKeyName = (request: Pick<FastifyRequest, 'headers'>) => string | undefined;

/**
 * Finds which of `keys` a request has, as `Authorization: Bearer` or `x-api-key`. It always compares all hashes, so
 * that the time it takes reveals nothing about a key.
 */
export function createKeyFinder(keys: readonly ApiKey[]): FindKeyName {
  const known = keys.map(({ key, name }) => {
    const keyHash = hash(key);
    return { keyHash, name: name ?? `key-${keyHash.toString('hex', 0, 4)}` };
  });
  return ({ headers }) => {
    const [, bearer] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
    const sent = bearer ?? headers['x-api-key'];
    if (typeof sent !== 'string') return undefined;
    const sentHash = hash(sent);
    return known.filter(({ keyHash }) => timingSafeEqual(keyHash, sentHash))[0]?.name;
  };
}

function hash(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
