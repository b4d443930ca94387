import type { Exchange, GraphqlRequest } from '../http/exchange.ts';
import { withoutHeader } from '../http/headerList.ts';
import { toCacheControl } from './cacheControl.ts';
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
): Promise<void> | undefined {
  const { status, body, caching } = response;
  const headers = [...response.headers, 'cache-control', toCacheControl(caching, now)];
  const options = { vary: VARY, isReplayed: caching?.isReplayed };
  if (isNotModified(exchange, response.etag)) {
    exchange.send(304, withoutHeader(headers, 'content-type'), options);
    return undefined;
  }
  const encoding = chooseEncoding(body, exchange.headers['accept-encoding']);
  if (encoding) headers.push('content-encoding', encoding);
  const send = (bytes: Buffer): void => exchange.send(status, headers, { ...options, body: bytes });
  const bytes = encoding ? response.compressed(encoding) : body;
  if (!Buffer.isBuffer(bytes)) return bytes.then(send);
  send(bytes);
  return undefined;
}

/** Whether `If-None-Match` names this very response, by weak comparison (RFC 9110, section 13.1.2). */
function isNotModified({ method, headers }: GraphqlRequest, etag: string | undefined): boolean {
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch === undefined || etag === undefined || method === 'POST') return false;
  const opaque = etag.slice(2);
  const sent = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return sent.includes(opaque) || ifNoneMatch.trim() === '*';
}
