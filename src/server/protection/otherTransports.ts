import { toRequestError } from '../../graphql/execution/formatError.ts';
import { chooseMediaType } from '../../graphql/execution/mediaType.ts';
import { Refusal } from '../errors/refusal.ts';
import type { GraphqlRequest } from '../http/exchange.ts';
import { toTokens } from '../http/toTokens.ts';

/**
 * Clients of WebSocket treat every status but 101 alike. It is not 426, which asks for an upgrade, and no 5xx, after which
 * proxies take the server for broken.
 */
const WEBSOCKET = new Refusal(
  400,
  toRequestError(
    'Expected an operation by HTTP (POST or GET), but got a WebSocket handshake: this server has no subscriptions, and ' +
      'executes no operations over WebSocket',
    'BAD_REQUEST',
  ),
  // Node drops what arrives together with a request to upgrade: nobody must wait for a response to it.
  { connection: 'close' },
);

const EVENT_STREAM = new Refusal(
  406,
  toRequestError(
    'Expected an Accept header with application/json or application/graphql-response+json, but got one with ' +
      'text/event-stream instead: this server has no subscriptions, and sends no results as server-sent events',
    'BAD_REQUEST',
  ),
);

/** The refusal of a request that is meant for another transport of GraphQL, such as those of subscriptions. */
export function refuseOtherTransports(request: GraphqlRequest): Refusal | undefined {
  if (isWebSocketHandshake(request)) return WEBSOCKET;
  return isEventStreamOnly(request) ? EVENT_STREAM : undefined;
}

/**
 * Whether a request is a handshake (RFC 6455, section 4.1). Proxies that do not pass `Upgrade` on, nginx by default, leave
 * the key. Other upgrades, such as h2c, may be ignored (RFC 9110, section 7.8).
 */
function isWebSocketHandshake({ method, headers }: GraphqlRequest): boolean {
  if (method !== 'GET') return false;
  if (headers['sec-websocket-key'] !== undefined) return true;
  const protocols = toTokens(headers.upgrade).map((token) => token.split('/', 1)[0]);
  return protocols.includes('websocket') && toTokens(headers.connection).includes('upgrade');
}

function isEventStreamOnly({ headers: { accept } }: GraphqlRequest): boolean {
  return /\btext\/event-stream\b/i.test(accept ?? '') && chooseMediaType(accept) === undefined;
}
