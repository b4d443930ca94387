import { type DocumentNode, GraphQLError, type GraphQLFormattedError, type ValidationRule } from 'graphql';
import { ApiError } from '../../domain/errors.ts';
import { measureOperations, type OperationSize } from './documentSize.ts';

/** How large a document may be that a client sends; of several operations each. */
export interface DocumentLimits extends OperationSize {
  readonly tokens: number;
  /** Errors that one answer reports of a document or its variables; where there are more, the last one says so. */
  readonly validationErrors: number;
}

/** What is limited, in words, and the environment variable that says so. */
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
 * Makes the rule that refuses a document beyond the limits, before the schema's own rules go through it: some of them
 * take time that grows faster than the document. Tokens are counted by the parser.
 */
export function createDocumentLimitsRule(limits: DocumentLimits): ValidationRule {
  return (context) => ({
    Document(document) {
      const problems = findExcesses(document, limits);
      for (const message of problems) {
        const originalError = new ApiError('DOCUMENT_TOO_LARGE', { message });
        context.reportError(new GraphQLError(message, { originalError }));
      }
      // For graphql-js this removes the document: no rule sees any more of it.
      return problems.length > 0 ? null : undefined;
    },
  });
}

/** What is too much in a document, each as a message. */
export function findExcesses(document: DocumentNode, limits: DocumentLimits): string[] {
  const sizes = measureOperations(document);
  return MEASURED.flatMap((name) => {
    const largest = Math.max(0, ...sizes.map((size) => size[name]));
    return largest > limits[name] ? [`${toExpectation(name, limits)}, but got: ${largest}`] : [];
  });
}

/** How graphql-js says that it stopped at a limit, and what clients are told instead. */
const STOPS: readonly {
  readonly text: string;
  readonly code: string;
  readonly toMessage: (limits: DocumentLimits) => string;
}[] = [
  {
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
    // After half a million comparisons, which no setting changes.
    text: 'Validation aborted.',
    code: 'DOCUMENT_TOO_LARGE',
    toMessage: () =>
      'Expected fields to be selected once, but got: so many repeated that they are not compared',
  },
];

/** What a client is told when graphql-js has stopped at a limit; undefined for what is no such error. */
export function toStopError(
  { message }: GraphQLFormattedError,
  limits: DocumentLimits,
): { readonly code: string; readonly message: string } | undefined {
  const stop = STOPS.find(({ text }) => message.startsWith(text));
  return stop && { code: stop.code, message: stop.toMessage(limits) };
}

function toExpectation(name: keyof DocumentLimits, limits: DocumentLimits): string {
  return `Expected at most ${limits[name]} ${NAMES[name]}`;
}
