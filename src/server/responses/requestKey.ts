import { crc32 } from 'node:zlib';
import { PREFLIGHT_HEADERS } from '../../graphql/execution/createApolloServer.ts';
import type { GraphqlRequest } from '../http/exchange.ts';

/** All of a request that its response may depend on. */
export interface RequestKey {
  /** Everything but the body, and a checksum of the body: a map would hash the whole body, which takes longer. */
  readonly text: string;
  readonly body: Buffer;
}

const NO_BODY = Buffer.alloc(0);

/** The key of a request. */
export function toRequestKey({ method, url, headers, body = NO_BODY }: GraphqlRequest): RequestKey {
  const isPreflighted = PREFLIGHT_HEADERS.some((name) => headers[name]);
  const kind = method === 'POST' ? 'POST' : 'GET';
  const accept = toKeyPart(headers.accept);
  const contentType = toKeyPart(headers['content-type']);
  return { text: `${crc32(body)} ${kind} ${url}\n${accept}\n${contentType}\n${isPreflighted}`, body };
}

/** Whether two keys with the same text are equal: different bodies may have the same checksum. */
export function hasSameBody(key: RequestKey, other: RequestKey): boolean {
  return key.body.equals(other.body);
}

/** Distinguishes an absent header from an empty one. */
function toKeyPart(header: string | undefined): string {
  return header === undefined ? '' : `=${header}`;
}
