import { toRequestError } from '../../graphql/execution/formatError.ts';
import { Refusal, refuseForNow } from '../errors/refusal.ts';
import type { OnServerEvent } from '../events.ts';
import type { Exchange, GraphqlRequest } from '../http/exchange.ts';
import { toTokens } from '../http/toTokens.ts';
import { type ApiKey, createKeyFinder } from './apiKeys.ts';
import { refuseOtherTransports } from './otherTransports.ts';
import type { RateLimiter } from './rateLimiter.ts';
import { createAddressReader, type TrustedProxies } from './trustProxy.ts';

/** Who may send requests, and how many. */
export interface AdmissionOptions {
  /** Every request must have one of them; undefined: no key is needed. */
  readonly apiKeys: readonly ApiKey[] | undefined;
  /** Undefined: no limit. */
  readonly rateLimiter: RateLimiter | undefined;
  /** Proxies that say whose request they pass on. */
  readonly trustProxy: TrustedProxies;
  readonly onEvent: OnServerEvent;
}

const UNAUTHENTICATED = new Refusal(
  401,
  toRequestError(
    'Expected a valid API key in the header "Authorization: Bearer" or "x-api-key"',
    'UNAUTHENTICATED',
  ),
  { 'www-authenticate': 'Bearer' },
);

const COMPRESSED = new Refusal(
  415,
  toRequestError('Expected an uncompressed request body, but got one with a content-encoding', 'BAD_REQUEST'),
  { 'accept-encoding': 'identity' },
);

/** Refuses requests. Notes in the exchange whose it is, and what is left of the client's rate limit. */
export type Admit = (exchange: Exchange) => Refusal | undefined;

/**
 * Refuses requests by their headers, before the response cache is read: cached responses need a key too. Requests
 * without a valid key are counted by address, which limits how fast keys can be guessed.
 */
export function createAdmission({ apiKeys, rateLimiter, trustProxy, onEvent }: AdmissionOptions): Admit {
  const findKeyName = apiKeys && createKeyFinder(apiKeys);
  const readAddress = createAddressReader(trustProxy);

  function checkRate(exchange: Exchange, limiter: RateLimiter): Refusal | undefined {
    const client = exchange.keyName ?? readAddress(exchange.request);
    const { isGranted, remaining, resetSeconds } = limiter.take(client);
    exchange.rateLimit = [
      'ratelimit-limit',
      String(limiter.perMinute),
      'ratelimit-remaining',
      String(remaining),
      'ratelimit-reset',
      String(resetSeconds),
    ];
    if (isGranted) return undefined;
    onEvent({ type: 'rateLimited', client });
    const message = `Expected at most ${limiter.perMinute} requests per minute (RATE_LIMIT_PER_MINUTE), but got more`;
    return refuseForNow(429, message, 'RATE_LIMITED', resetSeconds);
  }

  return (exchange) => {
    exchange.keyName = findKeyName?.(exchange);
    let refusal = rateLimiter && checkRate(exchange, rateLimiter);
    // Before the key, which browsers cannot send with a WebSocket handshake or an `EventSource`.
    refusal ??= refuseOtherTransports(exchange);
    if (findKeyName && exchange.keyName === undefined) refusal ??= UNAUTHENTICATED;
    if (isCompressed(exchange)) refusal ??= COMPRESSED;
    return refusal;
  };
}

function isCompressed({ headers }: GraphqlRequest): boolean {
  const codings = headers['content-encoding'];
  return codings !== undefined && toTokens(codings).some((coding) => coding !== 'identity');
}
