import { after } from '../../graphql/execution/after.ts';
import type { Exchange, GraphqlRequest } from '../http/exchange.ts';
import { withoutHeader } from '../http/headerList.ts';
import { chooseEncoding } from './encoding.ts';
import type { HttpResponse } from './httpResponse.ts';

/** Headers of the request that its response depends on. */
const VARY = 'Accept, Accept-Encoding';

/**
 * Sends a response: as 304 when the client has it already, else compressed as the client accepts it.
 *
 * @param now On the clock that pages expire by.
 * @returns A promise when the response has to be compressed first; it rejects when that fails.
 */
export function sendResponse(
  exchange: Exchange,
  response: HttpResponse,
  now: number,
): undefined | Promise<undefined> {
  const { status, body } = response;
  const { cors, headers: sent } = exchange;
  const isUnchanged = isNotModified(exchange, response.etag);
  const headers = isUnchanged ? withoutHeader(response.headers, 'content-type') : [...response.headers];
  headers.push('cache-control', response.cacheControl(now));
  cors.addHeaders(headers, sent.origin, VARY);
  if (!response.isReplayed) exchange.addOwnHeaders(headers);
  if (isUnchanged) {
    return exchange.send(304, headers);
  }
  const encoding = chooseEncoding(body, sent['accept-encoding']);
  if (encoding) headers.push('content-encoding', encoding);
  return after(encoding ? response.compressed(encoding) : body, (bytes) =>
    exchange.send(status, headers, bytes),
  );
}

/** Whether `If-None-Match` names this very response, by weak comparison (RFC 9110, section 13.1.2). */
function isNotModified({ method, headers }: GraphqlRequest, etag: string | undefined): boolean {
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch === undefined || etag === undefined || method === 'POST') return false;
  const opaque = etag.slice(2);
  const sent = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return sent.includes(opaque) || ifNoneMatch.trim() === '*';
}
