import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import { toRequestError } from '../../graphql/execution/formatError.ts';
import { type ApiKey, createKeyFinder } from './apiKeys.ts';
import type { OnServerEvent } from '../events.ts';
import { toClientAddress } from './clientAddress.ts';
import type { RateLimiter } from './rateLimiter.ts';
import { Refusal, refuseForNow } from '../errors/refusal.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The name of the API key that it brought; undefined where none are asked for. */
    keyName: string | undefined;
  }
}

/** Who may ask, and how often. */
export interface AdmissionOptions {
  /** One of them must come with every request; undefined: none need be. */
  readonly apiKeys: readonly ApiKey[] | undefined;
  /** Undefined: nobody asks too often. */
  readonly rateLimiter: RateLimiter | undefined;
  readonly onEvent: OnServerEvent;
}

const UNAUTHENTICATED = new Refusal(
  401,
  toRequestError('An API key is needed, and this is none', 'UNAUTHENTICATED'),
  { 'www-authenticate': 'Bearer' },
);

const COMPRESSED = new Refusal(
  415,
  toRequestError('Expected a body without a content-encoding: compressed ones are not read', 'BAD_REQUEST'),
  { 'accept-encoding': 'identity' },
);

/**
 * Refuses requests by their headers, before anything is looked up: what is kept is not for everyone either. Who brings
 * no key is counted by address, so that nobody tries keys at will.
 */
export function createAdmission({ apiKeys, rateLimiter, onEvent }: AdmissionOptions): onRequestHookHandler {
  const findKeyName = apiKeys && createKeyFinder(apiKeys);

  function refuseRate(
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
    const message = `Expected at most ${limiter.perMinute} requests in a minute (RATE_LIMIT_PER_MINUTE), but got more`;
    return refuseForNow(429, message, 'RATE_LIMITED', resetSeconds);
  }

  return (request, reply, done) => {
    request.keyName = findKeyName?.(request);
    let refusal = rateLimiter && refuseRate(request, reply, rateLimiter);
    if (findKeyName && request.keyName === undefined) refusal ??= UNAUTHENTICATED;
    if (isCompressed(request)) refusal ??= COMPRESSED;
    done(refusal);
  };
}

function isCompressed({ headers }: FastifyRequest): boolean {
  const encoding = headers['content-encoding'];
  return encoding !== undefined && encoding.toLowerCase() !== 'identity';
}
