import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';

/** Whose request it is, as far as the log may know. */
export interface RequestIdentity {
  readonly id: string;
  /** See `readClient`. */
  readonly client: string | undefined;
  /** The trace that the request belongs to, where its sender says so (W3C Trace Context). */
  readonly traceId: string | undefined;
}

const REQUEST_ID = /^[\w.:=+/-]{1,128}$/;
const CLIENT_NAME = /^[\w .:@/+-]{1,64}$/;
const TRACE_PARENT = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:-|$)/;

/** The id that a request came with (`x-request-id`), if it is one that can stand in a log; else a new one. */
export function toRequestId({ headers }: IncomingMessage): string {
  const sent = headers['x-request-id'];
  return typeof sent === 'string' && REQUEST_ID.test(sent) ? sent : randomUUID();
}

/** What is told of a request. */
export function identify(request: FastifyRequest): RequestIdentity {
  const { traceparent } = request.headers;
  const traceId = typeof traceparent === 'string' ? TRACE_PARENT.exec(traceparent)?.[1] : undefined;
  return { id: request.id, client: readClient(request), traceId };
}

/**
 * Who sent a request: the name of its API key, else what the client calls itself (`apollographql-client-name`), which is
 * not to be trusted: a name that has more to it than a name is none.
 */
function readClient({ keyName, headers }: FastifyRequest): string | undefined {
  const name = keyName ?? headers['apollographql-client-name'];
  return typeof name === 'string' && CLIENT_NAME.test(name) ? name : undefined;
}
