import { createHash } from 'node:crypto';
import { type ApolloServer, HeaderMap } from '@apollo/server';
import type { FastifyRequest } from 'fastify';
import type { OperationContext } from '../../graphql/context.ts';
import {
  toUpstreamExtension,
  type UpstreamExtension,
  type UpstreamSource,
} from '../../graphql/upstreamExtension.ts';
import { Answer } from './answer.ts';

type Cost = OperationContext['cost'];

/** A request to `/graphql` whose body, if it has one, was parsed. */
export interface ParsedRequest {
  readonly request: FastifyRequest;
  readonly body: unknown;
}

/** What it takes to make answers. */
export interface MakeAnswerOptions {
  readonly apollo: ApolloServer<OperationContext>;
  readonly source: UpstreamSource;
  /** Shared caches must not hold answers that not everyone may have. */
  readonly isPrivate: boolean;
  /** The monotonic clock of the data's lives, in milliseconds. */
  readonly monotonic: () => number;
}

/** An answer, and what it would be for others. */
export interface MadeAnswer {
  readonly answer: Answer;
  /** The same answer to another request, whose cost follows from this one's; absent when it has errors. */
  readonly atCost?: (toCost: (cost: Cost) => Cost) => Answer;
}

/** Has Apollo Server carry out a request. */
export async function makeAnswer(
  { request, body }: ParsedRequest,
  context: OperationContext,
  { apollo, source, isPrivate, monotonic }: MakeAnswerOptions,
): Promise<MadeAnswer> {
  const served = await apollo.executeHTTPGraphQLRequest({
    httpGraphQLRequest: {
      // Like any GET it may be asked for its headers alone.
      method: request.method === 'HEAD' ? 'GET' : request.method,
      headers: toHeaderMap(request.headers),
      search: toSearch(request.url),
      body,
    },
    context: async () => context,
  });
  if (served.body.kind !== 'complete') throw new TypeError('An answer in parts, though nothing is deferred');
  const {
    status = 200,
    body: { string: text },
  } = served;
  const headers: Record<string, string> = {
    'cache-control': 'no-store',
    ...Object.fromEntries(served.headers),
  };
  const isPage = headers['content-type']?.startsWith('text/html');
  if (isPage) return { answer: new Answer(status, headers, Buffer.from(text)) };

  const result = Buffer.from(text);
  const hasErrors = text.startsWith('{"errors"');
  const { readPages } = context.charts;
  if (!hasErrors && Number.isFinite(readPages.freshUntil)) {
    headers['cache-control'] = toCacheControl(readPages, monotonic(), isPrivate);
    headers.etag = toEtag(result);
  }
  const atCost = (toCost: (cost: Cost) => Cost): Answer =>
    new Answer(status, headers, withUpstream(result, toUpstreamExtension(source, toCost(context.cost))));
  return { answer: atCost((cost) => cost), ...(!hasErrors && { atCost }) };
}

function toHeaderMap(headers: FastifyRequest['headers']): HeaderMap {
  const map = new HeaderMap();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) map.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return map;
}

/** The query string with its question mark; empty when there is none. */
function toSearch(url: string): string {
  const start = url.indexOf('?');
  return start < 0 ? '' : url.slice(start);
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
function toEtag(result: Buffer): string {
  return `W/"${createHash('sha256').update(result).digest('base64url')}"`;
}

/** A result with the extension that every answer has, written into its end. */
export function withUpstream(result: Buffer, upstream: UpstreamExtension): Buffer {
  const end = Buffer.from(`,"extensions":${JSON.stringify({ upstream })}}\n`);
  return Buffer.concat([result.subarray(0, -1), end]);
}
