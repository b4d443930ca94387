import { CombinedGraphQLErrors, ServerError } from '@apollo/client/errors';
import type { GraphQLFormattedError } from 'graphql';
import { EXPLANATIONS } from './explanations.ts';

/** A failure in words for whoever looks at the page. */
export interface Explanation {
  readonly title: string;
  readonly text: string;
  /** `extensions.code`; undefined where the API gave no answer. */
  readonly code: string | undefined;
  readonly isRetryable: boolean;
  /** Seconds after which a retry makes sense, where that is known. */
  readonly retryAfterSeconds: number | undefined;
}

const DEFECT = [
  'Something went wrong',
  'That is a defect of this page or of its service, not something that you did.',
] as const;
const UNREACHABLE = ['No connection', 'This page’s own service cannot be reached. Are you online?'] as const;

/** Explains what an operation failed with, by its first error. */
export function explainError(error: unknown): Explanation {
  const [first] = errorsOf(error);
  if (first) return explain(first);
  const [title, text] = UNREACHABLE;
  return { title, text, code: undefined, isRetryable: true, retryAfterSeconds: undefined };
}

/** Explains one error of an answer. */
export function explain({ extensions = {} }: GraphQLFormattedError): Explanation {
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

/** The errors of an answer; none where nothing that could be read came. */
export function errorsOf(error: unknown): readonly GraphQLFormattedError[] {
  if (CombinedGraphQLErrors.is(error)) return error.errors;
  // What is refused before it becomes an operation comes with a status of HTTP.
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
