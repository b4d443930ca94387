import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import { toRequestError } from '../../graphql/execution/formatError.ts';
import { Refusal, refuseForNow } from '../errors/refusal.ts';
import type { OnServerEvent } from '../events.ts';
import { toTokens } from '../http/toTokens.ts';
import { type ApiKey, createKeyFinder } from './apiKeys.ts';
import { toClientAddress } from './clientAddress.ts';
import { refuseOtherTransports } from './otherTransports.ts';
import type { RateLimiter } from './rateLimiter.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The name of its API key; undefined when it has no valid one, or none are configured. */
    keyName: string | undefined;
  }
}

/** Who may send requests, and how many. */
export interface AdmissionOptions {
  /** Every request must have one of them; undefined: no key is needed. */
  readonly apiKeys: readonly ApiKey[] | undefined;
  /** Undefined: no limit. */
  readonly rateLimiter: RateLimiter | undefined;
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

/**
 * Refuses requests by their headers, before the response cache is read: cached responses need a key too. Requests
 * without a valid key are counted by address, which limits how fast keys can be guessed.
 */
export function createAdmission({ apiKeys, rateLimiter, onEvent }: AdmissionOptions): onRequestHookHandler {
  const findKeyName = apiKeys && createKeyFinder(apiKeys);

  function checkRate(
    request: FastifyRequest,
    reply: FastifyReply,
    limiter: RateLimiter,
  ): Refusal | undefined {
    const client = request.keyName ?? toClientAddress(request);
    const { isGranted, remaining, resetSeconds } = limiter.take(client);
    reply.header('ratelimit-limit', limiter.perMinute);
    reply.header('ratelimit-remaining', remaining);
    reply.header('ratelimit-reset', resetSeconds);
    if (isGranted) return undefined;
    onEvent({ type: 'rateLimited', client });
    const message = `Expected at most ${limiter.perMinute} requests per minute (RATE_LIMIT_PER_MINUTE), but got more`;
    return refuseForNow(429, message, 'RATE_LIMITED', resetSeconds);
  }

  return (request, reply, done) => {
    request.keyName = findKeyName?.(request);
    let refusal = rateLimiter && checkRate(request, reply, rateLimiter);
    // Before the key, which browsers cannot send with a WebSocket handshake or an `EventSource`.
    refusal ??= refuseOtherTransports(request);
    if (findKeyName && request.keyName === undefined) refusal ??= UNAUTHENTICATED;
    if (isCompressed(request)) refusal ??= COMPRESSED;
    done(refusal);
  };
}

function isCompressed({ headers }: FastifyRequest): boolean {
  return toTokens(headers['content-encoding']).some((coding) => coding !== 'identity');
}
