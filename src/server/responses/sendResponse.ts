import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ServedResponse } from './createResponder.ts';
import { chooseEncoding } from './encoding.ts';

/** Sends a response: as 304 when the client has it already, else compressed as the client accepts it. */
export function sendResponse(
  request: FastifyRequest,
  reply: FastifyReply,
  { response, ageSeconds }: ServedResponse,
): void {
  const { status, headers, body } = response;
  addToVary(reply, 'Accept, Accept-Encoding');
  if (ageSeconds !== undefined) reply.header('age', ageSeconds);
  if (isNotModified(request, headers.etag)) {
    const { 'content-type': _, ...others } = headers;
    reply.code(304).headers(others).send();
    return;
  }
  reply.code(status).headers(headers);
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

/** Keeps the names that are there already, from the CORS plugin for one. */
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
