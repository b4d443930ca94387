import { createHash } from 'node:crypto';
import { isFree } from '../../domain/upstreamCost.ts';
import { type ByteText, copyBytes, toByteText } from '../../graphql/execution/byteText.ts';
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
    /** Whether executing the operation took no request to upstream, and no wait for one. */
    readonly isFree: boolean;
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
  // Apollo Server has one of its own for some errors.
  const { 'cache-control': _cacheControl, ...others } = executed.headers;
  const headers: Record<string, string> = others;
  // Conditional requests are GETs, and hashing takes time.
  if (freshness && !isPost) headers.etag = toEtag(members);
  // Whoever gets a copy from a shared cache reads this body, whoever paid for it.
  const firstCost = caching?.isReplayed ? costOfCached(cost) : cost;
  const body = toBody(members, toUpstreamExtension(source, firstCost));
  const summary = { name, operationType, outcome, codes, cost: toUpstreamExtension(source, cost) };
  const response = new HttpResponse(status, headers, body, { summary, caching });
  if (outcome !== 'ok') return { response };

  const withCost = (other: Cost): HttpResponse => {
    const upstream = toUpstreamExtension(source, other);
    const otherBody = caching?.isReplayed ? body : toBody(members, upstream);
    const details = { summary: { ...summary, cost: upstream }, caching };
    return new HttpResponse(status, headers, copyBytes(otherBody), details);
  };
  let coalesced: HttpResponse | undefined;
  return {
    response,
    reusable: {
      coalesced: () => {
        coalesced ??= withCost(costOfCoalesced(cost));
        return coalesced;
      },
      cached: () => withCost(costOfCached(cost)),
      isFree: isFree(cost),
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
  return new HttpResponse(200, { 'content-type': 'text/html' }, toByteText(html), {
    security: SANDBOX_LIST,
  });
}

/** A weak validator of the data: responses to one request share it whatever they cost. */
function toEtag(members: ByteText): string {
  return `W/"${createHash('sha256').update(`{${members}}`, 'latin1').digest('base64url')}"`;
}

/** The result as a JSON object, with what it cost: that is ASCII. */
function toBody(members: ByteText, upstream: UpstreamExtension): ByteText {
  return `{${members},"extensions":${JSON.stringify({ upstream })}}\n`;
}
