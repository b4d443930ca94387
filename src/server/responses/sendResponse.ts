import type { FastifyReply, FastifyRequest } from 'fastify';
import { toCacheControl } from './cacheControl.ts';
import { chooseEncoding } from './encoding.ts';
import type { HttpResponse } from './httpResponse.ts';

/** Headers about the request of one client, which shared caches must not replay to others. */
const CLIENT_HEADERS = ['x-request-id', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'];

/**
 * Sends a response: as 304 when the client has it already, else compressed as the client accepts it.
 *
 * @param now On the clock that pages expire by.
 */
export function sendResponse(
  request: FastifyRequest,
  reply: FastifyReply,
  response: HttpResponse,
  now: number,
): void {
  const { status, headers, body, caching } = response;
  reply.code(status).headers(headers).header('cache-control', toCacheControl(caching, now));
  addToVary(reply, 'Accept, Accept-Encoding');
  if (caching?.isReplayed) for (const name of CLIENT_HEADERS) reply.removeHeader(name);
  if (isNotModified(request, headers.etag)) {
    reply.code(304).removeHeader('content-type').send();
    return;
  }
  const encoding = chooseEncoding(body, request.headers['accept-encoding']);
  if (!encoding) {
    reply.send(body);
    return;
  }
  reply.header('content-encoding', encoding);
  response.compressed(encoding).then(
    (compressed) => reply.send(compressed),
    (error: Error) => reply.send(error),
  );
}

/** Keeps the names that are there already, those of CORS for one. */
function addToVary(reply: FastifyReply, names: string): void {
  const others = reply.getHeader('vary');
  reply.header('vary', others === undefined ? names : `${others}, ${names}`);
}

/** Whether `If-None-Match` names this very response, by weak comparison (RFC 9110, section 13.1.2). */
function isNotModified({ method, headers }: FastifyRequest, etag: string | undefined): boolean {
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch === undefined || etag === undefined || method === 'POST') return false;
  const opaque = etag.slice(2);
  const sent = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return sent.includes(opaque) || ifNoneMatch.trim() === '*';
}
