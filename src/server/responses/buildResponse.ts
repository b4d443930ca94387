import { createHash } from 'node:crypto';
import type { ExecutedRequest, Freshness, OperationResult } from '../../graphql/execution/operationResult.ts';
import {
  costOfCached,
  costOfCoalesced,
  toUpstreamExtension,
  type UpstreamExtension,
  type UpstreamSource,
} from '../../graphql/upstreamExtension.ts';
import { SANDBOX_LIST } from '../http/securityHeaders.ts';
import type { HttpCaching } from './cacheControl.ts';
import { HttpResponse } from './httpResponse.ts';

type Cost = OperationResult['cost'];

/** See `buildResponse`. */
export interface BuildResponseOptions {
  readonly source: UpstreamSource;
  /** True when shared caches must not store responses, since not everyone may have them. */
  readonly isPrivate: boolean;
}

/** The response to the request that was executed, and to others that are identical. */
export interface BuiltResponse {
  readonly response: HttpResponse;
  /** Absent when the response has errors. */
  readonly reusable?: {
    /** The response to requests that were coalesced with it: one object for all of them. */
    readonly coalesced: () => HttpResponse;
    /** The response to later requests; likewise. */
    readonly cached: () => HttpResponse;
    /** How long they may have it; undefined when it must not be cached. */
    readonly freshness: Freshness | undefined;
  };
}

/**
 * Builds the response of an executed request: adds what it cost, and what caches may do with it. A response that shared
 * caches may replay says what a copy costs.
 */
export function buildResponse(
  executed: ExecutedRequest,
  { source, isPrivate }: BuildResponseOptions,
  isPost: boolean,
): BuiltResponse {
  if ('html' in executed) return { response: toSandboxPage(executed.html) };
  const { status, members, outcome, codes, name, operationType, cost, freshness } = executed;
  const caching = freshness && toCaching(freshness, isPrivate, isPost);
  const headers: Record<string, string> = { ...executed.headers };
  // Conditional requests are GETs, and hashing takes time.
  if (freshness && !isPost) headers.etag = toEtag(members);
  // Whoever gets a copy from a shared cache reads this body, whoever paid for it.
  const firstCost = caching?.isReplayed ? costOfCached(cost) : cost;
  const end = toEnd(toUpstreamExtension(source, firstCost));
  const body = Buffer.concat([OPEN, ...members, end]);
  const summary = { name, operationType, outcome, codes, cost: toUpstreamExtension(source, cost) };
  const response = new HttpResponse(status, headers, body, { summary, caching });
  if (outcome !== 'ok') return { response };

  /** Copies the data from the first response: its pieces would retain the JSON of whole pages. */
  const withCost = (other: Cost): HttpResponse => {
    const upstream = toUpstreamExtension(source, other);
    const otherBody = caching?.isReplayed
      ? body
      : Buffer.concat([body.subarray(0, -end.length), toEnd(upstream)]);
    return new HttpResponse(status, headers, otherBody, { summary: { ...summary, cost: upstream }, caching });
  };
  return {
    response,
    reusable: {
      coalesced: once(() => withCost(costOfCoalesced(cost))),
      cached: once(() => withCost(costOfCached(cost))),
      freshness,
    },
  };
}

/** Calls `create` the first time that its value is needed, and then releases what it was created from. */
function once<T>(create: () => T): () => T {
  let get = (): T => {
    const created = create();
    get = () => created;
    return created;
  };
  return () => get();
}

/** Shared caches store responses to GET and HEAD. */
function toCaching(freshness: Freshness, isPrivate: boolean, isPost: boolean): HttpCaching {
  return { freshness, scope: isPrivate ? 'private' : 'public', isReplayed: !isPrivate && !isPost };
}

/** Not an operation: it has no summary. */
function toSandboxPage(html: string): HttpResponse {
  return new HttpResponse(200, { 'content-type': 'text/html' }, Buffer.from(html), {
    security: SANDBOX_LIST,
  });
}

/** A weak validator of the data: responses to one request share it whatever they cost. */
function toEtag(members: readonly Buffer[]): string {
  const hash = createHash('sha256').update('{');
  for (const piece of members) hash.update(piece);
  return `W/"${hash.update('}').digest('base64url')}"`;
}

const OPEN = Buffer.from('{');

/** The end of the body, after the result: what it cost. */
function toEnd(upstream: UpstreamExtension): Buffer {
  return Buffer.from(`,"extensions":${JSON.stringify({ upstream })}}\n`);
}
