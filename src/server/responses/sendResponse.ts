import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FoundAnswer } from './createResponder.ts';
import { chooseEncoding } from './encoding.ts';

/** Sends an answer in the form that its request takes: not again to whoever has it, and compressed. */
export function sendAnswer(request: FastifyRequest, reply: FastifyReply, { answer, age }: FoundAnswer): void {
  const { status, headers, body } = answer;
  addToVary(reply, 'Accept, Accept-Encoding');
  if (age !== undefined) reply.header('age', age);
  if (isHeldBy(request, headers.etag)) {
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
  answer.compressed(encoding).then(
    (compressed) => reply.send(compressed),
    (error: Error) => reply.send(error),
  );
}

function addToVary(reply: FastifyReply, names: string): void {
  // Others, such as the CORS plugin, have theirs there.
  const others = reply.getHeader('vary');
  reply.header('vary', others === undefined ? names : `${others}, ${names}`);
}

/** Whether the client has this very answer: `If-None-Match`, compared weakly. */
function isHeldBy({ method, headers }: FastifyRequest, etag: string | undefined): boolean {
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch === undefined || etag === undefined || method === 'POST') return false;
  const opaque = etag.slice(2);
  const held = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return held.includes(opaque) || ifNoneMatch.trim() === '*';
}
