/// <reference path="./negotiator.d.ts" />
import { LRUCache } from 'lru-cache';
import Negotiator from 'negotiator';

/** The media type for clients that do not ask for another. */
export const JSON_TYPE = 'application/json; charset=utf-8';

/** Media types of a result: those of Apollo Server, in its order. */
const MEDIA_TYPES = [
  JSON_TYPE,
  'application/graphql-response+json; charset=utf-8',
  'application/json; callbackSpec=1.0; charset=utf-8',
];

// Clients send a handful of different headers. Bounded, because one may send any number.
const chosen = new LRUCache<string, string>({ max: 100, memoMethod: negotiate });

/** The media type to send a result as, by the request's `Accept`: as Apollo Server chooses it; undefined for none. */
export function chooseMediaType(accept: string | undefined): string | undefined {
  return accept ? chosen.memo(accept) || undefined : JSON_TYPE;
}

function negotiate(accept: string): string {
  return new Negotiator({ headers: { accept } }).mediaType(MEDIA_TYPES) ?? '';
}
