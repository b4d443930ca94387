import { CombinedGraphQLErrors, ServerError } from '@apollo/client/errors';
import type { GraphQLFormattedError } from 'graphql';
import { EXPLANATIONS } from './explanations.ts';

/** An error, explained to the people who use the page. */
export interface Explanation {
  readonly title: string;
  readonly text: string;
  /** `extensions.code`; undefined when the API did not respond. */
  readonly code: string | undefined;
  readonly isRetryable: boolean;
  /** Seconds to wait before a retry, where known. */
  readonly retryAfterSeconds: number | undefined;
}

const DEFECT = [
  'Something went wrong',
  'This is an error in this page or its service. You did nothing wrong.',
] as const;
const UNREACHABLE = ['No connection', 'This page cannot reach its service. Are you online?'] as const;

const explanations = new WeakMap<object, Explanation>();

/** Explains why an operation failed, by its first error. The same error has the same explanation, which hooks compare. */
export function explainError(error: object): Explanation {
  return memoise(error, () => {
    const [first] = errorsOf(error);
    if (first) return explain(first);
    const [title, text] = UNREACHABLE;
    return { title, text, code: undefined, isRetryable: true, retryAfterSeconds: undefined };
  });
}

/** Explains one error of a response. */
export function explain(error: GraphQLFormattedError): Explanation {
  return memoise(error, () => describe(error));
}

function memoise(error: object, explainAnew: () => Explanation): Explanation {
  const explanation = explanations.get(error) ?? explainAnew();
  explanations.set(error, explanation);
  return explanation;
}

function describe({ extensions = {} }: GraphQLFormattedError): Explanation {
  const { code, retryable, retryAfterSeconds } = extensions;
  const known = typeof code === 'string' ? code : undefined;
  const [title, text] = EXPLANATIONS[known ?? ''] ?? DEFECT;
  return {
    title,
    text,
    code: known,
    isRetryable: retryable === true,
    retryAfterSeconds: typeof retryAfterSeconds === 'number' ? retryAfterSeconds : undefined,
  };
}

/** The errors of a response; empty when there was no readable response. */
export function errorsOf(error: unknown): readonly GraphQLFormattedError[] {
  if (CombinedGraphQLErrors.is(error)) return error.errors;
  // Requests refused before execution have an HTTP error status.
  if (ServerError.is(error)) return parseErrors(error.bodyText);
  return [];
}

function parseErrors(text: string): readonly GraphQLFormattedError[] {
  try {
    const { errors } = JSON.parse(text);
    return Array.isArray(errors) ? errors : [];
  } catch {
    return [];
  }
}
