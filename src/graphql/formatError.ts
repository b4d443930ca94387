import { unwrapResolverError } from '@apollo/server/errors';
import type { GraphQLFormattedError } from 'graphql';
import { ApiError } from '../domain/errors.ts';

/** Codes of graphql-js and Apollo Server whose messages speak of the request alone. */
const REQUEST_ERRORS: ReadonlySet<unknown> = new Set([
  'BAD_REQUEST',
  'BAD_USER_INPUT',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'OPERATION_RESOLUTION_FAILURE',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
]);

export type FormatError = (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError;

/**
 * Makes the one place that decides what a client learns of an error: an `ApiError`'s public fields, what
 * graphql-js and Apollo say of a bad request, and of anything else nothing but that it happened.
 *
 * @param onUnexpected Told of everything else.
 */
export function createFormatError(onUnexpected: (error: unknown) => void): FormatError {
  return (formatted, error) => {
    const original = unwrapResolverError(error);
    if (original instanceof ApiError) {
      const { message, code, retryable, retryAfterSeconds, upstream } = original;
      const extensions = {
        code,
        retryable,
        ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
        ...(upstream && { upstream }),
      };
      return { ...formatted, message, extensions };
    }
    const code = formatted.extensions?.code;
    if (REQUEST_ERRORS.has(code)) return { ...formatted, extensions: { code, retryable: false } };
    onUnexpected(original);
    return {
      ...formatted,
      message: 'Internal server error',
      extensions: { code: 'INTERNAL_SERVER_ERROR', retryable: false },
    };
  };
}
