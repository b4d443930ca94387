import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { FastifyServerOptions } from 'fastify';
import { toRequestError } from '../../graphql/execution/formatError.ts';
import type { UpstreamSource } from '../../graphql/upstreamExtension.ts';
import type { Cors } from '../http/cors.ts';
import { type HttpLimits, toLimitMessage } from '../http/httpLimits.ts';
import { SECURITY_HEADERS } from '../http/securityHeaders.ts';
import type { Connections } from '../http/trackConnections.ts';
import { toErrorBody } from './errorBody.ts';

/** HTTP statuses by the code of Node's error; any other is a 400. */
const STATUSES: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
};

/** See `createClientErrorHandler`. */
interface ClientErrorOptions {
  readonly source: UpstreamSource;
  readonly limits: HttpLimits;
  readonly cors: Cors;
  readonly latestResponses: Connections['latestResponses'];
}

/**
 * Creates Fastify's `clientErrorHandler`. It responds to what Node cannot read as a request, and closes the connection,
 * since it is unknown where the next request would begin. It never sends a second response to a request, nor one out of
 * turn, which a proxy would pass on to another client.
 */
export function createClientErrorHandler({
  source,
  limits,
  cors,
  latestResponses,
}: ClientErrorOptions): NonNullable<FastifyServerOptions['clientErrorHandler']> {
  return (error, socket) => {
    const latest = latestResponses.get(socket);
    if (error.code !== 'ECONNRESET' && socket.writable && canRespond(latest)) {
      const status = STATUSES[error.code] ?? 400;
      const message = toLimitMessage({ code: error.code, message: 'Expected a valid HTTP request' }, limits);
      const body = JSON.stringify(toErrorBody(source, toRequestError(message, 'BAD_REQUEST')));
      socket.write(`${toHead(status, body, cors.toHeaders(readOrigin(latest)))}${body}`);
    }
    socket.destroy(error);
  };
}

/**
 * Whether the latest request of a connection has its whole response, or is the unreadable one itself and has no
 * response yet.
 */
function canRespond(latest: ServerResponse | undefined): boolean {
  if (!latest) return true;
  return latest.req.complete ? latest.writableFinished : !latest.headersSent;
}

/** The `Origin` of the unreadable request, if its headers could be read: its body is too slow, say. */
function readOrigin(latest: ServerResponse | undefined): string | undefined {
  return latest?.req.complete === false ? latest.req.headers.origin : undefined;
}

function toHead(status: number, body: string, corsHeaders: ReturnType<Cors['toHeaders']>): string {
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    connection: 'close',
    ...SECURITY_HEADERS,
    ...corsHeaders,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n`;
}
