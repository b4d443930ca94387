import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** Identifies a request in the log and in events. */
export interface RequestIdentity {
  readonly id: string;
  /** See `readClient`. */
  readonly client: string | undefined;
  /** The trace that the request belongs to, by its `traceparent` header (W3C Trace Context). */
  readonly traceId: string | undefined;
}

/** What identifies a request. */
interface Identifiable {
  readonly id: string;
  /** The name of its API key; undefined when it has no valid one, or none are configured. */
  readonly keyName: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

const REQUEST_ID = /^[\w.:=+/-]{1,128}$/;
const CLIENT_NAME = /^[\w .:@/+-]{1,64}$/;
const TRACE_PARENT = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:-|$)/;

/** The request's `x-request-id`, if it is safe to log; else a new id. */
export function toRequestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const sent = headers['x-request-id'];
  return typeof sent === 'string' && REQUEST_ID.test(sent) ? sent : randomUUID();
}

/** The identity of a request. */
export function identify(request: Identifiable): RequestIdentity {
  const { traceparent } = request.headers;
  const traceId = typeof traceparent === 'string' ? TRACE_PARENT.exec(traceparent)?.[1] : undefined;
  return { id: request.id, client: readClient(request), traceId };
}

/**
 * Who sent a request: the name of its API key, else the name that the client gives itself
 * (`apollographql-client-name`). Undefined for a name that is not safe to log.
 */
function readClient({ keyName, headers }: Identifiable): string | undefined {
  const name = keyName ?? headers['apollographql-client-name'];
  return typeof name === 'string' && CLIENT_NAME.test(name) ? name : undefined;
}
