import { ApolloServerValidationErrorCode, unwrapResolverError } from '@apollo/server/errors';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { ApiError } from '../../domain/errors.ts';
import { type DocumentLimits, toStopError } from '../limits/documentLimits.ts';

/** Codes of graphql-js and Apollo Server whose messages speak of the request alone. */
const REQUEST_ERRORS: ReadonlySet<string> = new Set([
  'BAD_REQUEST',
  'BAD_USER_INPUT',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'OPERATION_RESOLUTION_FAILURE',
  'PERSISTED_QUERY_NOT_FOUND',
]);

/** What Apollo Server says of requests without a code. */
const BAD_REQUESTS: ReadonlySet<string> = new Set([
  'provided sha does not match query',
  'Unsupported persisted query version',
]);

/** Instead of Apollo Server's words, which name a setting that this server has not got. */
const NO_INTROSPECTION = toRequestError(
  'The schema is not shown here (INTROSPECTION)',
  'GRAPHQL_VALIDATION_FAILED',
);

/** What a client learns of a defect. */
export const INTERNAL_ERROR: GraphQLFormattedError = {
  message: 'Internal server error',
  extensions: { code: 'INTERNAL_SERVER_ERROR', retryable: false },
};

/** What a client learns of a request that cannot be carried out as it is. */
export function toRequestError(message: string, code: string): GraphQLFormattedError {
  return { message, extensions: { code, retryable: false } };
}

/** What a client learns of a request that may be sent again after so many seconds. */
export function toRetryableError(
  message: string,
  code: string,
  retryAfterSeconds: number,
): GraphQLFormattedError {
  return { message, extensions: { code, retryable: true, retryAfterSeconds } };
}

/** Apollo Server's `formatError`: the error as it would be sent, and as it was thrown. */
export type FormatError = (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError;

/** See `createFormatError`. */
export interface FormatErrorOptions {
  readonly hints: boolean;
  readonly limits: DocumentLimits;
  readonly onUnexpected: (error: unknown) => void;
}

/**
 * Makes the one place that decides what a client learns of an error: an `ApiError`'s public fields, what
 * graphql-js and Apollo say of a bad request, and of anything else nothing but that it happened.
 *
 * @param options.hints Whether messages may say "Did you mean", which tells of the schema.
 * @param options.limits At which graphql-js stops, in words that name none.
 * @param options.onUnexpected Told of everything else.
 */
export function createFormatError({ hints, limits, onUnexpected }: FormatErrorOptions): FormatError {
  const toMessage = hints ? (text: string): string => text : withoutHint;

  return (formatted, error) => {
    const thrown = unwrapResolverError(error);
    // An operation that was refused as a whole has no path, which Apollo's own unwrapping asks for.
    const original =
      thrown instanceof GraphQLError && thrown.originalError instanceof ApiError
        ? thrown.originalError
        : thrown;
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
    const stop = toStopError(formatted, limits);
    if (stop) return { ...formatted, ...toRequestError(stop.message, stop.code) };
    if (isOfIntrospection(formatted)) return { ...formatted, ...NO_INTROSPECTION };
    const code = isOfRequest(original) ? 'BAD_USER_INPUT' : toCode(formatted);
    if (REQUEST_ERRORS.has(code)) {
      return { ...formatted, ...toRequestError(toMessage(formatted.message), code) };
    }
    onUnexpected(original);
    return { ...formatted, ...INTERNAL_ERROR };
  };
}

/** A message of graphql-js without the hint at its end. No regular expression: callers choose most of the text. */
function withoutHint(text: string): string {
  const hint = text.endsWith('?') ? text.lastIndexOf('Did you mean ') : -1;
  return hint < 0 ? text : text.slice(0, hint).trimEnd();
}

function isOfIntrospection({ extensions }: GraphQLFormattedError): boolean {
  return extensions?.validationErrorCode === ApolloServerValidationErrorCode.INTROSPECTION_DISABLED;
}

/**
 * True for what graphql-js itself says, without a code, of a place in the document: a null for an argument that
 * cannot be null, say.
 */
function isOfRequest(error: unknown): boolean {
  if (!(error instanceof GraphQLError)) return false;
  const { extensions, locations, originalError } = error;
  return extensions.code === undefined && locations !== undefined && originalError === undefined;
}

function toCode({ message, extensions }: GraphQLFormattedError): string {
  return BAD_REQUESTS.has(message) ? 'BAD_REQUEST' : String(extensions?.code);
}
