import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';

/** A key that callers may send. */
export interface ApiKey {
  readonly key: string;
  /** What logs and limits call it; keys that share a name are one client. By default a part of its hash. */
  readonly name?: string | undefined;
}

/** The name of the key that a request brings; undefined when it brings none of ours. */
export type FindKeyName = (request: Pick<FastifyRequest, 'headers'>) => string | undefined;

/**
 * Finds which of `keys` a request brings, as `Authorization: Bearer` or `x-api-key`. Compares hashes, all of
 * them, so that the time it takes tells nothing of a key.
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
