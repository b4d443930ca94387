import { type ApolloServer, HeaderMap } from '@apollo/server';
import type { FastifyRequest } from 'fastify';
import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { OperationContext } from '../../graphql/context.ts';
import type { RunKnown } from '../../graphql/execution/fastPath.ts';
import { toRequestError } from '../../graphql/execution/formatError.ts';
import type { AnswerAccount } from '../events.ts';
import {
  bringsDocument,
  fillInDocument,
  hasOddHash,
  type Sent,
  type TrustedDocuments,
} from '../trustedDocuments/trustedDocuments.ts';

const GRAPHQL_RESPONSE = 'application/graphql-response+json';

/** What a request came to. */
export interface ServedRequest extends Verdict {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The body in UTF-8, in pieces; of an answer, without what it cost. */
  readonly body: readonly Buffer[];
}

/** What became of an operation. */
type Verdict = Pick<AnswerAccount, 'outcome' | 'codes'>;

const OK: Verdict = { outcome: 'ok', codes: [] };

/** An operation that costs nothing, as it is sent by POST and by GET. */
const FREE: Sent = { body: { query: '{ __typename }' }, search: '?query={__typename}' };

/** Carries out a request, whose body was parsed. */
export type ServeRequest = (
  request: FastifyRequest,
  body: unknown,
  context: OperationContext,
) => Promise<ServedRequest>;

/**
 * Carries out requests: the short way where an operation of a known document comes as JSON, else by Apollo Server, which has the
 * say in all that is not plain: GET, forged requests, persisted queries, errors.
 */
export function createServeRequest(
  apollo: ApolloServer<OperationContext>,
  runKnown: RunKnown,
  trusted: TrustedDocuments | undefined,
): ServeRequest {
  /** What Apollo Server answers an `Accept` header with. */
  const contentTypes = new LRUCache<string, string>({ max: 100 });

  return async (request, sentBody, context) => {
    const sent = { body: sentBody, search: toSearch(request.url) };
    if (trusted?.only && bringsDocument(sent)) return refuse(request, NOT_TRUSTED);
    if (hasOddHash(sent)) return refuse(request, ODD_HASH);
    const { body, search } = trusted ? fillInDocument(sent, trusted) : sent;
    const { accept = '' } = request.headers;
    const contentType = contentTypes.get(accept);
    if (contentType === undefined) {
      // Apollo Server looks at this header last, when the operation is executed and paid for: it is asked beforehand.
      const asked = await serveByApollo(request, FREE, context);
      if (asked.status === 406) return asked;
      remember(accept, asked);
    }
    const result = contentType && request.method === 'POST' ? await runKnown(body, context) : undefined;
    if (contentType && result) {
      return { status: 200, headers: { 'content-type': contentType }, body: result, ...OK };
    }
    return serveByApollo(request, { body, search }, context);
  };

  function remember(accept: string, { status, headers: { 'content-type': chosen } }: ServedRequest): void {
    // The page for browsers is no answer to an operation.
    if (status === 200 && chosen && !chosen.startsWith('text/html')) contentTypes.set(accept, chosen);
  }

  async function serveByApollo(
    request: FastifyRequest,
    sent: Sent,
    context: OperationContext,
  ): Promise<ServedRequest> {
    const served = await apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: {
        // As any GET it may be asked for its headers alone.
        method: request.method === 'HEAD' ? 'GET' : request.method,
        headers: toHeaderMap(request.headers),
        ...sent,
      },
      context: async () => context,
    });
    if (served.body.kind !== 'complete')
      throw new TypeError('An answer in parts, though nothing is deferred');
    const { status = 200, headers } = served;
    const { string: text } = served.body;
    const verdict = judge(text);
    return {
      status: status === 400 ? toErrorStatus(request, verdict) : status,
      headers: Object.fromEntries(headers),
      body: [Buffer.from(text)],
      ...verdict,
    };
  }
}

/**
 * The status of an answer that refuses a request. A client that names `application/json` as what it takes, and not
 * `application/graphql-response+json`, is one that takes 400 for a failure of the transport: it gets 200 with the errors,
 * if what it sent could be read as a GraphQL request (GraphQL over HTTP, 6.4.1).
 */
function toErrorStatus({ headers: { accept = '' } }: FastifyRequest, { codes }: Verdict): number {
  const isLegacy = accept.includes('application/json') && !accept.includes(GRAPHQL_RESPONSE);
  const isReadable = codes.length > 0 && !codes.includes('BAD_REQUEST');
  return isLegacy && isReadable ? 200 : 400;
}

/** Reads in an answer what became of its operation. */
function judge(text: string): Verdict {
  if (!text.startsWith('{"errors"')) return OK;
  const { errors, data }: FormattedExecutionResult = JSON.parse(text);
  const codes = errors?.map(({ extensions }) => String(extensions?.code));
  const isPartial = Object.values(data ?? {}).some((field) => field !== null);
  return { outcome: isPartial ? 'partial' : 'error', codes: [...new Set(codes)] };
}

const NOT_TRUSTED = toRequestError(
  'This server carries out trusted documents alone (PERSISTED_DOCUMENTS_ONLY): expected the hash of one, as ' +
    '"documentId" or "extensions.persistedQuery.sha256Hash", but got: the text of a document. Where its hash was not found, ' +
    'the operator has to list it',
  'PERSISTED_QUERY_ID_REQUIRED',
);

const ODD_HASH = toRequestError(
  'Expected a text as "extensions.persistedQuery.sha256Hash", but got: something else',
  'BAD_REQUEST',
);

/** Refuses a request before Apollo Server sees it, as that would. */
function refuse(request: FastifyRequest, error: GraphQLFormattedError): ServedRequest {
  const text = JSON.stringify({ errors: [error] });
  const verdict = judge(text);
  const isJson = !request.headers.accept?.includes(GRAPHQL_RESPONSE);
  return {
    status: toErrorStatus(request, verdict),
    headers: { 'content-type': `${isJson ? 'application/json' : GRAPHQL_RESPONSE}; charset=utf-8` },
    body: [Buffer.from(text)],
    ...verdict,
  };
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
