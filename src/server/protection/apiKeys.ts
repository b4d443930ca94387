import { createHash, timingSafeEqual } from 'node:crypto';
import type { GraphqlRequest } from '../http/exchange.ts';

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
type FindKeyName = (request: Pick<GraphqlRequest, 'headers'>) => string | undefined;

/** How many values of `x-api-key` are read: each is an attempt to guess a key, while the request is counted once. */
const MAX_VALUES = 4;

/**
 * Finds which of `keys` a request has, as `Authorization: Bearer` or `x-api-key`; of several the first, in this order. It
 * always compares all hashes, so that the time it takes reveals nothing about a key.
 */
export function createKeyFinder(keys: readonly ApiKey[]): FindKeyName {
  const known = keys.map(({ key, name }) => {
    const keyHash = hash(key);
    return { keyHash, name: name ?? `key-${keyHash.toString('hex', 0, 4)}` };
  });
  return ({ headers }) => {
    const matches = readSentKeys(headers).flatMap((sent) => {
      const sentHash = hash(sent);
      return known.filter(({ keyHash }) => timingSafeEqual(keyHash, sentHash));
    });
    return matches[0]?.name;
  };
}

/** What may be a key of ours. Either header may belong to somebody else, such as a gateway with a token of its own. */
function readSentKeys({ authorization = '', 'x-api-key': apiKey = [] }: GraphqlRequest['headers']): string[] {
  const [, bearer] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
  // Node joins the values of a repeated header by commas, which no key contains.
  const values = [apiKey].flat().join().split(',', MAX_VALUES);
  return [bearer ?? '', ...values.map((value) => value.trim())].filter((value) => value !== '');
}

function hash(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
