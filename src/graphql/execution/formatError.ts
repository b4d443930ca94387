import { ApolloServerValidationErrorCode, unwrapResolverError } from '@apollo/server/errors';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { ApiError } from '../../domain/errors.ts';
import { type DocumentLimits, toLimitError } from '../limits/documentLimits.ts';

/** Codes of graphql-js and Apollo Server whose messages are about the request alone, and may be shown. */
const REQUEST_ERRORS: ReadonlySet<string> = new Set([
  'BAD_REQUEST',
  'BAD_USER_INPUT',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'OPERATION_RESOLUTION_FAILURE',
  'PERSISTED_QUERY_NOT_FOUND',
]);

/** Apollo Server's messages about requests that have no code. */
const BAD_REQUESTS: ReadonlySet<string> = new Set([
  'provided sha does not match query',
  'Unsupported persisted query version',
]);

/** Replaces Apollo Server's message, which names a setting that this server does not have. */
const NO_INTROSPECTION = toRequestError(
  'Introspection is disabled (INTROSPECTION)',
  'GRAPHQL_VALIDATION_FAILED',
);

/** The error that clients get for a defect of this server. */
export const INTERNAL_ERROR: GraphQLFormattedError = {
  message: 'Internal server error',
  extensions: { code: 'INTERNAL_SERVER_ERROR', retryable: false },
};

/** The error for a request that cannot be executed as it is. */
export function toRequestError(message: string, code: string): GraphQLFormattedError {
  return { message, extensions: { code, retryable: false } };
}

/** The error for a request that may be sent again after `retryAfterSeconds`. */
export function toRetryableError(
  message: string,
  code: string,
  retryAfterSeconds: number,
): GraphQLFormattedError {
  return { message, extensions: { code, retryable: true, retryAfterSeconds } };
}

/** Apollo Server's `formatError`: gets the error as it would be sent, and as it was thrown. */
export type FormatError = (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError;

/** See `createFormatError`. */
interface FormatErrorOptions {
  readonly hints: boolean;
  readonly limits: DocumentLimits;
  readonly onUnexpected: (error: unknown) => void;
}

/**
 * Creates the one place that decides what clients learn about an error: the public fields of an `ApiError`,
 * graphql-js's and Apollo Server's messages about a bad request, and about anything else only that it happened.
 *
 * @param options.hints Whether messages may contain "Did you mean", which reveals parts of the schema.
 * @param options.limits The limits at which graphql-js stops; its own messages do not name them.
 * @param options.onUnexpected Receives all other errors.
 */
export function createFormatError({ hints, limits, onUnexpected }: FormatErrorOptions): FormatError {
  const toMessage = hints ? (text: string): string => text : withoutHint;

  return (formatted, error) => {
    const thrown = unwrapResolverError(error);
    // Apollo's `unwrapResolverError` unwraps only errors with a path, which an operation refused as a whole does not
    // have.
    const original =
      thrown instanceof GraphQLError && thrown.originalError instanceof ApiError
        ? thrown.originalError
        : thrown;
    if (original instanceof ApiError) {
      const { message, code, retryable, retryAfterSeconds, videos, upstream } = original;
      const extensions = {
        code,
        retryable,
        ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
        ...(videos !== undefined && { videos }),
        ...(upstream && { upstream }),
      };
      return { ...formatted, message, extensions };
    }
    const stop = toLimitError(formatted, limits);
    if (stop) return { ...formatted, ...toRequestError(stop.message, stop.code) };
    if (isIntrospectionError(formatted)) return { ...formatted, ...NO_INTROSPECTION };
    const code = isRequestError(original) ? 'BAD_USER_INPUT' : toCode(formatted);
    if (REQUEST_ERRORS.has(code)) {
      return { ...formatted, ...toRequestError(toMessage(formatted.message), code) };
    }
    onUnexpected(original);
    return { ...formatted, ...INTERNAL_ERROR };
  };
}

/**
 * A message of graphql-js without the hint at its end. Not by a regular expression: clients choose most of the text.
 */
function withoutHint(text: string): string {
  const hint = text.endsWith('?') ? text.lastIndexOf('Did you mean ') : -1;
  return hint < 0 ? text : text.slice(0, hint).trimEnd();
}

function isIntrospectionError({ extensions }: GraphQLFormattedError): boolean {
  return extensions?.validationErrorCode === ApolloServerValidationErrorCode.INTROSPECTION_DISABLED;
}

/**
 * True for an error of graphql-js itself about a place in the document, which has no code: for example, null for an
 * argument that must not be null.
 */
function isRequestError(error: unknown): boolean {
  if (!(error instanceof GraphQLError)) return false;
  const { extensions, locations, originalError } = error;
  return extensions.code === undefined && locations !== undefined && originalError === undefined;
}

function toCode({ message, extensions }: GraphQLFormattedError): string {
  return BAD_REQUESTS.has(message) ? 'BAD_REQUEST' : String(extensions?.code);
}
