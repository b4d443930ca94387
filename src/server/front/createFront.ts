import type { RequestListener } from 'node:http';
import { after } from '../../graphql/execution/after.ts';
import { toByteText } from '../../graphql/execution/byteText.ts';
import { JSON_TYPE } from '../../graphql/execution/mediaType.ts';
import type { UpstreamSource } from '../../graphql/upstreamExtension.ts';
import { toErrorBody } from '../errors/errorBody.ts';
import { refuseForNow } from '../errors/refusal.ts';
import { toRefusedEvent } from '../errors/refusedEvent.ts';
import type { ToRefusal } from '../errors/toRefusal.ts';
import type { OnServerEvent } from '../events.ts';
import type { Cors } from '../http/cors.ts';
import { Exchange, type ReadyResponse } from '../http/exchange.ts';
import { toHeaderList } from '../http/headerList.ts';
import type { HttpLimits } from '../http/httpLimits.ts';
import type { OnRoute } from '../http/reportRoutes.ts';
import { identify } from '../http/requestIdentity.ts';
import { RESPONSE_HEADERS } from '../http/responseHeaders.ts';
import { SendTogether } from '../http/sendTogether.ts';
import type { Admit } from '../protection/admission.ts';
import type { Responder } from '../responses/createResponder.ts';
import { sendResponse } from '../responses/sendResponse.ts';
import { readBody } from './readBody.ts';

/** By then a load balancer has chosen another replica, or a supervisor has restarted this one. */
const RETRY_SECONDS = 1;

/** Nothing was executed: the operation can safely be sent again. */
const CLOSING = refuseForNow(
  503,
  'This server is shutting down: send the operation again',
  'SERVER_CLOSING',
  RETRY_SECONDS,
);

/** Dependencies and settings of the front. */
export interface FrontOptions {
  readonly source: UpstreamSource;
  readonly limits: HttpLimits;
  readonly cors: Cors;
  readonly admit: Admit;
  readonly respond: Responder;
  readonly toRefusal: ToRefusal;
  /** True from the moment that the server closes. */
  readonly isDraining: () => boolean;
  /** True when requests arrive too late to be executed. */
  readonly isRefusing: () => boolean;
  readonly onRoute: OnRoute | undefined;
  readonly onEvent: OnServerEvent;
  /** The clock that pages expire by, in milliseconds. */
  readonly monotonic: () => number;
}

/** Creates the front: it handles requests to `/graphql` from the first byte to the last, without a framework. */
export function createFront(options: FrontOptions): RequestListener {
  const { source, limits, cors, admit, respond, toRefusal, isDraining, isRefusing } = options;
  const { onRoute, onEvent, monotonic } = options;
  const together = new SendTogether<ReadyResponse>(({ exchange, status, headers, body }) => {
    guard(exchange, ({ response }) => void response.writeHead(status, headers).end(body, 'latin1'));
  }, monotonic);
  const write = (ready: ReadyResponse): void => together.add(ready);

  function start(exchange: Exchange): void {
    if (isDraining()) exchange.response.setHeader('connection', 'close');
    const refusal = isRefusing() ? CLOSING : admit(exchange);
    if (refusal) refuse(exchange, refusal);
    else if (exchange.method !== 'POST') serve(exchange);
    else
      readBody(exchange.request, limits.bodyBytes, {
        onBody: (body) => {
          exchange.body = body;
          guard(exchange, serve);
        },
        onRefusal: (reason) => guard(exchange, () => refuse(exchange, reason)),
      });
  }

  /** Has the response ready in the same turn, unless something has to be waited for. */
  function serve(exchange: Exchange): void {
    const sent = after(respond(exchange), ({ response }) => sendResponse(exchange, response, monotonic()));
    sent?.catch((error) => guard(exchange, () => refuse(exchange, error)));
  }

  /** Whatever fails, the request gets a response or a closed connection, and the process goes on. */
  function guard(exchange: Exchange, run: (exchange: Exchange) => void): void {
    try {
      run(exchange);
    } catch (error) {
      if (exchange.isRefused) exchange.response.destroy();
      else guard(exchange, () => refuse(exchange, error));
    }
  }

  function refuse(exchange: Exchange, error: unknown): void {
    exchange.isRefused = true;
    const refusal = toRefusal(error, exchange.id);
    const { status, formatted, headers } = refusal;
    const durationMs = monotonic() - exchange.arrivedAt;
    onEvent(toRefusedEvent(refusal, source, { durationMs, request: identify(exchange) }));
    const body = toByteText(JSON.stringify(toErrorBody(source, formatted)));
    const list = toHeaderList({ ...RESPONSE_HEADERS, 'content-type': JSON_TYPE, ...headers });
    exchange.cors.addHeaders(list, exchange.headers.origin);
    exchange.addOwnHeaders(list);
    exchange.send(status, list, body);
  }

  return (request, response) => {
    onRoute?.('/graphql');
    const now = monotonic();
    together.sendOverdue(now);
    guard(new Exchange(request, response, cors, write, now), start);
  };
}
