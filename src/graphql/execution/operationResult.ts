import type { IncomingHttpHeaders } from 'node:http';
import type { GraphQLFormattedError } from 'graphql';
import { type Freshness, withLimit } from '../../data/windows/freshness.ts';
import { createUpstreamCost, type UpstreamCost } from '../../domain/upstreamCost.ts';
import type { OperationContext, OperationType } from '../context.ts';
import type { ByteText } from './byteText.ts';
import { chooseMediaType, JSON_TYPE } from './mediaType.ts';
import { type FormattedResult, toMembers } from './resultJson.ts';

/** A request for an operation. */
export interface OperationRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** The query string, with its question mark; empty when there is none. */
  readonly search: string;
  /** The parsed body. */
  readonly body: unknown;
}

export type { Freshness };

/** What a request for an operation gives: all that its response is built from. */
export interface OperationResult {
  /** HTTP status. */
  readonly status: number;
  /** HTTP headers: `content-type`, and `allow` where the method is wrong. */
  readonly headers: Readonly<Record<string, string>>;
  /** `errors` and `data` as JSON, without the braces around them. */
  readonly members: ByteText;
  /** `partial`: some fields failed. `error`: there is no data. */
  readonly outcome: 'ok' | 'partial' | 'error';
  /** The codes of its errors, each once. */
  readonly codes: readonly string[];
  /** The operation's name; undefined when it has none, or when the document could not be read. */
  readonly name: string | undefined;
  /** Undefined when the document could not be read, or has no such operation. */
  readonly operationType: OperationType | undefined;
  readonly cost: UpstreamCost;
  /** Undefined when it must not be cached. */
  readonly freshness: Freshness | undefined;
}

/** What a request gives: a result, or the page of Apollo Sandbox. */
export type ExecutedRequest = OperationResult | { readonly html: string };

/** Executes a request for one operation. The result is a promise only when something had to be waited for. */
export type ExecuteOperation = (request: OperationRequest) => ExecutedRequest | Promise<ExecutedRequest>;

type Head = Pick<OperationResult, 'status' | 'headers'>;

/**
 * The result with what it cost, and how long it is fresh.
 *
 * @param accept The request's `Accept` header.
 * @param context Undefined when no operation was executed.
 */
export function toOperationResult(
  result: FormattedResult,
  { status, headers }: Head,
  accept: string | undefined,
  context: OperationContext | undefined,
): OperationResult {
  const { data } = result;
  const errors = result.errors && oncePerList(result.errors);
  const codes = errors ? [...new Set(errors.map(({ extensions }) => String(extensions?.code)))] : [];
  return {
    status: status === 400 ? toErrorStatus(accept, codes) : status,
    headers,
    members: toMembers({ errors, data }),
    outcome: errors ? toErrorOutcome(data) : 'ok',
    codes,
    name: context?.operation.name,
    operationType: context?.operation.type,
    cost: context?.cost ?? createUpstreamCost(),
    freshness: errors || !context ? undefined : freshnessOf(context),
  };
}

/** Undefined when the result must not be cached. */
function freshnessOf({ charts, stats, history }: OperationContext): Freshness | undefined {
  return withLimit(withLimit(charts.freshness(), stats.freshness()), history.freshness());
}

/** The result of a request that is refused, as Apollo Server would refuse it, before anything is executed. */
export function toRefusedResult(error: GraphQLFormattedError, accept: string | undefined): OperationResult {
  const head = { status: 400, headers: { 'content-type': chooseMediaType(accept) ?? JSON_TYPE } };
  return toOperationResult({ errors: [error] }, head, accept, undefined);
}

/** Of the errors about the numbers on a connection's or list's videos, which are all the same, the first. */
function oncePerList(errors: readonly GraphQLFormattedError[]): readonly GraphQLFormattedError[] {
  const seen = new Set<unknown>();
  return errors.filter(({ extensions, path: [field] = [] }) => {
    if (extensions?.videos === undefined) return true;
    const isFirst = !seen.has(field);
    seen.add(field);
    return isFirst;
  });
}

function toErrorOutcome(data: FormattedResult['data']): 'partial' | 'error' {
  return Object.values(data ?? {}).some((field) => field !== null) ? 'partial' : 'error';
}

/**
 * The status of a response with errors alone. A client that accepts `application/json`, but not
 * `application/graphql-response+json`, takes 400 for a failure of the transport: it gets 200, if its request was a
 * well-formed GraphQL request (GraphQL over HTTP, section 6.4.1).
 */
function toErrorStatus(accept = '', codes: readonly string[]): number {
  // Media types are case-insensitive.
  const types = accept.toLowerCase();
  const isLegacy = types.includes('application/json') && !types.includes('application/graphql-response+json');
  return isLegacy && !codes.includes('BAD_REQUEST') ? 200 : 400;
}
