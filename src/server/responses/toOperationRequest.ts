import { isJsonObject } from '../../domain/json.ts';
import type { OperationRequest } from '../../graphql/execution/operationResult.ts';
import type { GraphqlRequest } from '../http/exchange.ts';

/** Parameters whose empty text counts as absent: common clients send all parameters, whether they have a value or not. */
const TEXTS: readonly string[] = ['query', 'operationName', 'documentId'];
/** The same in a query string, where JSON is text too. */
const SEARCH_TEXTS: readonly string[] = [...TEXTS, 'variables', 'extensions'];

/** The request for an operation that an HTTP request is, without its empty parameters. */
export function toOperationRequest(
  { method, url, headers }: Pick<GraphqlRequest, 'method' | 'url' | 'headers'>,
  body: unknown,
): OperationRequest {
  const start = url.indexOf('?');
  return {
    // A HEAD request is a GET without the body.
    method: method === 'HEAD' ? 'GET' : method,
    headers,
    search: start < 0 ? '' : withoutEmptyParameters(url.slice(start)),
    body: withoutEmptyTexts(body),
  };
}

function withoutEmptyParameters(search: string): string {
  const all = [...new URLSearchParams(search)];
  const present = all.filter(([name, value]) => value !== '' || !SEARCH_TEXTS.includes(name));
  if (present.length === all.length) return search;
  return present.length > 0 ? `?${new URLSearchParams(present)}` : '';
}

/** Null stands for an absent parameter. */
function withoutEmptyTexts(body: unknown): unknown {
  if (!isJsonObject(body)) return body;
  const empty = TEXTS.filter((name) => body[name] === '');
  return empty.length > 0 ? { ...body, ...Object.fromEntries(empty.map((name) => [name, null])) } : body;
}
