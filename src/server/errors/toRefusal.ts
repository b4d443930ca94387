import type { FastifyBaseLogger, FastifyError } from 'fastify';
import { INTERNAL_ERROR, toRequestError } from '../../graphql/execution/formatError.ts';
import { type HttpLimits, toLimitMessage } from '../http/httpLimits.ts';
import { Refusal } from './refusal.ts';

/** The refusal that the client gets for any error. */
export type ToRefusal = (error: unknown, requestId: string) => Refusal;

/** See `createToRefusal`. */
interface ToRefusalOptions {
  readonly limits: HttpLimits;
  readonly log: FastifyBaseLogger;
}

/**
 * Creates the conversion of errors to refusals. Errors below 500 are Fastify's, about the request: its body is not JSON, or
 * its URL cannot be read. All others are defects of this server: they are logged, and the client learns no details.
 */
export function createToRefusal({ limits, log }: ToRefusalOptions): ToRefusal {
  return (error, requestId) => {
    if (error instanceof Refusal) return error;
    const failed = error as FastifyError;
    const { statusCode = 500 } = failed;
    if (statusCode < 500)
      return new Refusal(statusCode, toRequestError(toLimitMessage(failed, limits), 'BAD_REQUEST'));
    log.error({ err: error, requestId }, 'Unexpected error');
    return new Refusal(statusCode, INTERNAL_ERROR);
  };
}
