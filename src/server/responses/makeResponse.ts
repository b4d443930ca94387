import { createHash } from 'node:crypto';
import type { OperationContext } from '../../graphql/context.ts';
import {
  costOfCopy,
  costOfSharer,
  toUpstreamExtension,
  type UpstreamExtension,
  type UpstreamSource,
} from '../../graphql/upstreamExtension.ts';
import { PAGE_HEADERS } from '../http/securityHeaders.ts';
import { Answer } from './httpResponse.ts';
import type { ServedRequest } from './executeRequest.ts';

type Cost = OperationContext['cost'];

/** What it takes to make answers. */
export interface MakeAnswerOptions {
  readonly source: UpstreamSource;
  /** Shared caches must not hold answers that not everyone may have. */
  readonly isPrivate: boolean;
  /** The monotonic clock of the data's lives, in milliseconds. */
  readonly monotonic: () => number;
}

/** An answer, and what it is for others. */
export interface MadeAnswer {
  readonly answer: Answer;
  /** Absent when it has errors. */
  readonly forOthers?: {
    /** The one answer to all who waited for it. */
    readonly shared: () => Answer;
    /** The answer to whoever comes later. */
    readonly kept: () => Answer;
  };
}

/** Makes the answer out of what a request came to, with what it cost, and what caches may do with it. */
export function makeAnswer(
  { status, headers: served, body, outcome, codes }: ServedRequest,
  { cost, operation: { name }, charts: { readPages } }: OperationContext,
  { source, isPrivate, monotonic }: MakeAnswerOptions,
  hasEtag: boolean,
): MadeAnswer {
  const headers: Record<string, string> = { ...served, 'cache-control': 'no-store' };
  const isPage = headers['content-type']?.startsWith('text/html');
  if (isPage) return { answer: new Answer(status, { ...headers, ...PAGE_HEADERS }, Buffer.concat(body)) };
  const hasErrors = outcome !== 'ok';

  if (!hasErrors && readPages.areLasting) {
    headers['cache-control'] = toCacheControl(readPages, monotonic(), isPrivate);
    if (hasEtag) headers.etag = toEtag(body);
  }
  const atCost = (toCost: (cost: Cost) => Cost): Answer => {
    const upstream = toUpstreamExtension(source, toCost(cost));
    const account = { name, outcome, codes, cost: upstream };
    return new Answer(status, headers, withUpstream(body, upstream), account);
  };
  const answer = atCost((own) => own);
  if (hasErrors) return { answer };
  let shared: Answer | undefined;
  return {
    answer,
    forOthers: {
      shared: () => {
        shared ??= atCost(costOfSharer);
        return shared;
      },
      kept: () => atCost(costOfCopy),
    },
  };
}

/** What caches may do with an answer, from the lives of its pages. */
function toCacheControl(
  { freshUntil, staleUntil }: OperationContext['charts']['readPages'],
  now: number,
  isPrivate: boolean,
): string {
  const seconds = (ms: number): number => Math.max(0, Math.floor(ms / 1000));
  const scope = isPrivate ? 'private' : 'public';
  const stale = seconds(staleUntil - Math.max(freshUntil, now));
  return `${scope}, max-age=${seconds(freshUntil - now)}, stale-while-revalidate=${stale}`;
}

/** A weak validator: answers to one request that have it say the same, whatever they cost. */
function toEtag(result: readonly Buffer[]): string {
  return `W/"${createHash('sha256').update(Buffer.concat(result)).digest('base64url')}"`;
}

/** A result with the extension that every answer has, written into its end. */
function withUpstream(result: readonly Buffer[], upstream: UpstreamExtension): Buffer {
  const end = Buffer.from(`,"extensions":${JSON.stringify({ upstream })}}\n`);
  const last = result.at(-1)?.subarray(0, -1) ?? end;
  return Buffer.concat([...result.slice(0, -1), last, end]);
}
