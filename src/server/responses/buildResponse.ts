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
    /** The response to later requests. */
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
  { isPost, hasEtag }: { readonly isPost: boolean; readonly hasEtag: boolean },
): BuiltResponse {
  if ('html' in executed) return { response: toSandboxPage(executed.html) };
  const { status, members, outcome, codes, name, operationType, cost, freshness } = executed;
  const caching = freshness && toCaching(freshness, isPrivate, isPost);
  const headers: Record<string, string> = { ...executed.headers };
  if (freshness && hasEtag) headers.etag = toEtag(members);
  // Whoever gets a copy from a shared cache reads this body, whoever paid for it.
  const body = caching?.isReplayed
    ? toBody(members, toUpstreamExtension(source, costOfCached(cost)))
    : undefined;
  const withCost = (toCost: (cost: Cost) => Cost): HttpResponse => {
    const upstream = toUpstreamExtension(source, toCost(cost));
    const summary = { name, operationType, outcome, codes, cost: upstream };
    return new HttpResponse(status, headers, body ?? toBody(members, upstream), { summary, caching });
  };
  const response = withCost((own) => own);
  if (outcome !== 'ok') return { response };
  let coalesced: HttpResponse | undefined;
  return {
    response,
    reusable: {
      coalesced: () => {
        coalesced ??= withCost(costOfCoalesced);
        return coalesced;
      },
      cached: () => withCost(costOfCached),
      freshness,
    },
  };
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

/** The result as a JSON object, with what it cost. */
function toBody(members: readonly Buffer[], upstream: UpstreamExtension): Buffer {
  const end = Buffer.from(`,"extensions":${JSON.stringify({ upstream })}}\n`);
  return Buffer.concat([OPEN, ...members, end]);
}
