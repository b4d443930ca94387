import { type DocumentNode, GraphQLError, type GraphQLFormattedError, type ValidationRule } from 'graphql';
import { ApiError } from '../../domain/errors.ts';
import { measureOperations, type OperationSize } from './documentSize.ts';

/** How large a document may be; with several operations, each of them. */
export interface DocumentLimits extends OperationSize {
  readonly tokens: number;
  /** Errors reported for a document or its variables; when there are more, the last one says so. */
  readonly validationErrors: number;
}

/** What each limit counts, and its setting. */
const NAMES: Readonly<Record<keyof DocumentLimits, string>> = {
  tokens: 'tokens (MAX_DOCUMENT_TOKENS)',
  depth: 'levels of fields (MAX_DOCUMENT_DEPTH)',
  aliases: 'aliases (MAX_DOCUMENT_ALIASES)',
  rootFields: 'fields at the root (MAX_ROOT_FIELDS)',
  directives: 'directives (MAX_DIRECTIVES)',
  validationErrors: 'errors (MAX_VALIDATION_ERRORS)',
};
const MEASURED = ['depth', 'aliases', 'rootFields', 'directives'] as const;

/**
 * Creates the validation rule that refuses a document beyond the limits before graphql-js's own rules visit it: some of
 * them take more than linear time. Tokens are counted by the parser.
 */
export function createDocumentLimitsRule(limits: DocumentLimits): ValidationRule {
  return (context) => ({
    Document(document) {
      const problems = findExcesses(document, limits);
      for (const message of problems) {
        const originalError = new ApiError('DOCUMENT_TOO_LARGE', { message });
        context.reportError(new GraphQLError(message, { originalError }));
      }
      // Removes the document from the visit: no rule sees the rest of it.
      return problems.length > 0 ? null : undefined;
    },
  });
}

/** A message for each limit that a document exceeds. */
function findExcesses(document: DocumentNode, limits: DocumentLimits): string[] {
  const sizes = measureOperations(document);
  return MEASURED.flatMap((name) => {
    const largest = Math.max(0, ...sizes.map((size) => size[name]));
    return largest > limits[name] ? [`${toExpectation(name, limits)}, but got: ${largest}`] : [];
  });
}

/** Errors by which graphql-js reports that it stopped at a limit, and what clients get instead. */
const LIMIT_ERRORS: readonly {
  readonly text: string;
  readonly code: string;
  readonly toMessage: (limits: DocumentLimits) => string;
}[] = [
  {
    // graphql-js 16 misspells "than" as "that": this prefix matches a corrected message too.
    text: 'Syntax Error: Document contains more tha',
    code: 'DOCUMENT_TOO_LARGE',
    toMessage: (limits) => `${toExpectation('tokens', limits)}, but got more`,
  },
  {
    text: 'Too many validation errors',
    code: 'GRAPHQL_VALIDATION_FAILED',
    toMessage: (limits) => `${toExpectation('validationErrors', limits)}, but got more`,
  },
  {
    text: 'Too many errors processing variables',
    code: 'BAD_USER_INPUT',
    toMessage: (limits) => `${toExpectation('validationErrors', limits)}, but got more`,
  },
  {
    // graphql-js compares repeated fields with each other, half a million times at most. No setting changes that.
    text: 'Validation aborted.',
    code: 'DOCUMENT_TOO_LARGE',
    toMessage: () =>
      'Expected each field to be selected once, but got more repeated fields than can be compared',
  },
];

/** What a client gets when graphql-js stopped at a limit; undefined for any other error. */
export function toLimitError(
  { message }: GraphQLFormattedError,
  limits: DocumentLimits,
): { readonly code: string; readonly message: string } | undefined {
  const stop = LIMIT_ERRORS.find(({ text }) => message.startsWith(text));
  return stop && { code: stop.code, message: stop.toMessage(limits) };
}

function toExpectation(name: keyof DocumentLimits, limits: DocumentLimits): string {
  return `Expected at most ${limits[name]} ${NAMES[name]}`;
}
