import { type ApolloServer, HeaderMap } from '@apollo/server';
import type { FastifyRequest } from 'fastify';
import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { OperationContext } from '../../graphql/context.ts';
import type { FastPath } from '../../graphql/execution/fastPath.ts';
import { toRequestError } from '../../graphql/execution/formatError.ts';
import type { OperationSummary } from '../events.ts';
import {
  expandDocument,
  hasDocumentText,
  hasMalformedHash,
  type RequestParts,
  type TrustedDocuments,
} from '../trustedDocuments/trustedDocuments.ts';

const GRAPHQL_RESPONSE = 'application/graphql-response+json';

/** A request that was executed. */
export interface ExecutedRequest extends Outcome {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The body in UTF-8, in pieces, without `extensions.upstream`. */
  readonly body: readonly Buffer[];
}

/** The outcome of an operation. */
type Outcome = Pick<OperationSummary, 'outcome' | 'codes'>;

const OK: Outcome = { outcome: 'ok', codes: [] };

/** An operation that costs nothing, as the body of a POST and as the query string of a GET. */
const FREE: RequestParts = { body: { query: '{ __typename }' }, search: '?query={__typename}' };

/** Executes a request. Its parsed body is passed separately. */
export type ExecuteRequest = (
  request: FastifyRequest,
  body: unknown,
  context: OperationContext,
) => Promise<ExecutedRequest>;

/**
 * Executes requests: on the fast path, when it is a POST whose document was validated before, else by Apollo Server,
 * which decides everything else: GET, CSRF prevention, persisted queries, errors.
 */
export function createRequestExecutor(
  apollo: ApolloServer<OperationContext>,
  fastPath: FastPath,
  trusted: TrustedDocuments | undefined,
): ExecuteRequest {
  /** The media type that Apollo Server chooses, by `Accept` header. */
  const contentTypes = new LRUCache<string, string>({ max: 100 });

  return async (request, sentBody, context) => {
    const sent = { body: sentBody, search: toSearch(request.url) };
    if (trusted?.only && hasDocumentText(sent)) return refuse(request, NOT_TRUSTED);
    if (hasMalformedHash(sent)) return refuse(request, MALFORMED_HASH);
    const { body, search } = trusted ? expandDocument(sent, trusted) : sent;
    const { accept = '' } = request.headers;
    const contentType = contentTypes.get(accept);
    if (contentType === undefined) {
      // Apollo Server reads this header last, when the operation has been executed and paid for. A free operation tells
      // in advance whether it accepts it.
      const probe = await executeByApollo(request, FREE, context);
      if (probe.status === 406) return probe;
      rememberContentType(accept, probe);
    }
    const result = contentType && request.method === 'POST' ? await fastPath(body, context) : undefined;
    if (contentType && result) {
      return { status: 200, headers: { 'content-type': contentType }, body: result, ...OK };
    }
    return executeByApollo(request, { body, search }, context);
  };

  function rememberContentType(
    accept: string,
    { status, headers: { 'content-type': chosen } }: ExecutedRequest,
  ): void {
    // The page of Apollo Sandbox is not the response to an operation.
    if (status === 200 && chosen && !chosen.startsWith('text/html')) contentTypes.set(accept, chosen);
  }

  async function executeByApollo(
    request: FastifyRequest,
    sent: RequestParts,
    context: OperationContext,
  ): Promise<ExecutedRequest> {
    const executed = await apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: {
        // A HEAD request is a GET without the body.
        method: request.method === 'HEAD' ? 'GET' : request.method,
        headers: toHeaderMap(request.headers),
        ...sent,
      },
      context: async () => context,
    });
    if (executed.body.kind !== 'complete')
      throw new TypeError('Expected a complete response: nothing is deferred');
    const { status = 200, headers } = executed;
    const { string: text } = executed.body;
    const outcome = readOutcome(text);
    return {
      status: status === 400 ? toErrorStatus(request, outcome) : status,
      headers: Object.fromEntries(headers),
      body: [Buffer.from(text)],
      ...outcome,
    };
  }
}

/**
 * The status of a response with errors alone. A client that accepts `application/json`, but not
 * `application/graphql-response+json`, takes 400 for a failure of the transport: it gets 200, if its request was a
 * well-formed GraphQL request (GraphQL over HTTP, section 6.4.1).
 */
function toErrorStatus({ headers: { accept = '' } }: FastifyRequest, { codes }: Outcome): number {
  const isLegacy = accept.includes('application/json') && !accept.includes(GRAPHQL_RESPONSE);
  const isReadable = codes.length > 0 && !codes.includes('BAD_REQUEST');
  return isLegacy && isReadable ? 200 : 400;
}

/** Reads the outcome of an operation from its result, which begins with `errors` if there are any. */
function readOutcome(text: string): Outcome {
  if (!text.startsWith('{"errors"')) return OK;
  const { errors, data }: FormattedExecutionResult = JSON.parse(text);
  const codes = errors?.map(({ extensions }) => String(extensions?.code));
  const isPartial = Object.values(data ?? {}).some((field) => field !== null);
  return { outcome: isPartial ? 'partial' : 'error', codes: [...new Set(codes)] };
}

const NOT_TRUSTED = toRequestError(
  'This server executes trusted documents only (PERSISTED_DOCUMENTS_ONLY): expected the hash of one, as "documentId" or ' +
    '"extensions.persistedQuery.sha256Hash", but got: the text of a document. If its hash was not found, the operator has to ' +
    'add the document to the manifest',
  'PERSISTED_QUERY_ID_REQUIRED',
);

const MALFORMED_HASH = toRequestError(
  'Expected a string as "extensions.persistedQuery.sha256Hash", but got another type',
  'BAD_REQUEST',
);

/** Refuses a request as Apollo Server would. */
function refuse(request: FastifyRequest, error: GraphQLFormattedError): ExecutedRequest {
  const text = JSON.stringify({ errors: [error] });
  const outcome = readOutcome(text);
  const isJson = !request.headers.accept?.includes(GRAPHQL_RESPONSE);
  return {
    status: toErrorStatus(request, outcome),
    headers: { 'content-type': `${isJson ? 'application/json' : GRAPHQL_RESPONSE}; charset=utf-8` },
    body: [Buffer.from(text)],
    ...outcome,
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
