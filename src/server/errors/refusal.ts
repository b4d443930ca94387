import type { GraphQLFormattedError } from 'graphql';
import { toRetryableError } from '../../graphql/execution/formatError.ts';

/** Refuses a request instead of executing it: the front sends it, whether it is returned or thrown. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    /** HTTP status. */
    readonly status: number,
    /** The error that the client gets. */
    readonly formatted: GraphQLFormattedError,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(formatted.message);
  }
}

/** A refusal of a request that may be sent again after `seconds`, which is its `Retry-After` too. */
export function refuseForNow(status: number, message: string, code: string, seconds: number): Refusal {
  return new Refusal(status, toRetryableError(message, code, seconds), {
    'retry-after': String(seconds),
  });
}
