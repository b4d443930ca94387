import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import { toRequestError } from '../../graphql/execution/formatError.ts';
import type { UpstreamSource } from '../../graphql/upstreamExtension.ts';
import { toErrorBody } from './errorBody.ts';
import { type HttpLimits, toLimitMessage } from '../http/httpLimits.ts';
import { SECURITY_HEADERS } from '../http/securityHeaders.ts';

/** What Node could not read as a request, by its code; else it is a 400. */
const STATUSES: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
};

/**
 * Answers what Node could not read as a request, and closes the connection: nobody can tell where the next one would begin.
 * There is never a second answer to one request, nor one out of turn: a proxy would take it for another client's.
 */
export function createClientErrors(source: UpstreamSource, limits: HttpLimits) {
  const latestResponses = new WeakMap<object, ServerResponse>();

  const handle: NonNullable<FastifyServerOptions['clientErrorHandler']> = (error, socket) => {
    if (error.code !== 'ECONNRESET' && socket.writable && canAnswer(latestResponses.get(socket))) {
      const status = STATUSES[error.code] ?? 400;
      const message = toLimitMessage({ code: error.code, message: 'This is no HTTP request' }, limits);
      const body = JSON.stringify(toErrorBody(source, toRequestError(message, 'BAD_REQUEST')));
      socket.write(`${toHead(status, body)}${body}`);
    }
    socket.destroy(error);
  };

  function watch({ server }: FastifyInstance): void {
    server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      latestResponses.set(socket, response);
    });
  }

  return { handle, watch };
}

/** Whether the last request of a connection is wholly answered, or is the one that went wrong and is not answered at all. */
function canAnswer(latest: ServerResponse | undefined): boolean {
  if (!latest) return true;
  return latest.req.complete ? latest.writableFinished : !latest.headersSent;
}

function toHead(status: number, body: string): string {
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    connection: 'close',
    ...SECURITY_HEADERS,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n`;
}
