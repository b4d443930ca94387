import { createHash } from 'node:crypto';
import type { OperationContext } from '../../graphql/context.ts';
import {
  costOfCached,
  costOfCoalesced,
  toUpstreamExtension,
  type UpstreamExtension,
  type UpstreamSource,
} from '../../graphql/upstreamExtension.ts';
import { SANDBOX_HEADERS } from '../http/securityHeaders.ts';
import type { ExecutedRequest } from './executeRequest.ts';
import { HttpResponse } from './httpResponse.ts';

type Cost = OperationContext['cost'];

/** See `buildResponse`. */
export interface BuildResponseOptions {
  readonly source: UpstreamSource;
  /** True when shared caches must not store responses, since not everyone may have them. */
  readonly isPrivate: boolean;
  /** The clock that pages expire by, in milliseconds. */
  readonly monotonic: () => number;
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
  };
}

/** Builds the response of an executed request: adds what it cost, and what caches may do with it. */
export function buildResponse(
  { status, headers: executed, body, outcome, codes }: ExecutedRequest,
  { cost, operation: { name }, charts: { resultPages } }: OperationContext,
  { source, isPrivate, monotonic }: BuildResponseOptions,
  hasEtag: boolean,
): BuiltResponse {
  const headers: Record<string, string> = { ...executed, 'cache-control': 'no-store' };
  const isSandbox = headers['content-type']?.startsWith('text/html');
  if (isSandbox) {
    return { response: new HttpResponse(status, { ...headers, ...SANDBOX_HEADERS }, Buffer.concat(body)) };
  }
  const hasErrors = outcome !== 'ok';

  if (!hasErrors && resultPages.isCacheable) {
    headers['cache-control'] = toCacheControl(resultPages, monotonic(), isPrivate);
    if (hasEtag) headers.etag = toEtag(body);
  }
  const withCost = (toCost: (cost: Cost) => Cost): HttpResponse => {
    const upstream = toUpstreamExtension(source, toCost(cost));
    const summary = { name, outcome, codes, cost: upstream };
    return new HttpResponse(status, headers, withUpstreamExtension(body, upstream), summary);
  };
  const response = withCost((own) => own);
  if (hasErrors) return { response };
  let coalesced: HttpResponse | undefined;
  return {
    response,
    reusable: {
      coalesced: () => {
        coalesced ??= withCost(costOfCoalesced);
        return coalesced;
      },
      cached: () => withCost(costOfCached),
    },
  };
}

/** `Cache-Control` by the expiry of the pages. */
function toCacheControl(
  { freshUntil, staleUntil }: OperationContext['charts']['resultPages'],
  now: number,
  isPrivate: boolean,
): string {
  const seconds = (ms: number): number => Math.max(0, Math.floor(ms / 1000));
  const scope = isPrivate ? 'private' : 'public';
  const stale = seconds(staleUntil - Math.max(freshUntil, now));
  return `${scope}, max-age=${seconds(freshUntil - now)}, stale-while-revalidate=${stale}`;
}

/** A weak validator of the data: responses to one request share it whatever they cost. */
function toEtag(result: readonly Buffer[]): string {
  return `W/"${createHash('sha256').update(Buffer.concat(result)).digest('base64url')}"`;
}

/** The result with `extensions.upstream` written in before its closing brace. */
function withUpstreamExtension(result: readonly Buffer[], upstream: UpstreamExtension): Buffer {
  const end = Buffer.from(`,"extensions":${JSON.stringify({ upstream })}}\n`);
  const last = result.at(-1)?.subarray(0, -1) ?? end;
  return Buffer.concat([...result.slice(0, -1), last, end]);
}
