import type { GraphQLFormattedError } from 'graphql';
import { toRetryableError } from '../../graphql/execution/formatError.ts';

/** A request that is answered with an error instead of being carried out; Fastify's error handler sends it. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    /** HTTP status. */
    readonly status: number,
    /** What the client reads. */
    readonly formatted: GraphQLFormattedError,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(formatted.message);
  }
}

/** A refusal of what may be sent again after `seconds`; says so in `Retry-After` too. */
export function refuseForNow(status: number, message: string, code: string, seconds: number): Refusal {
  return new Refusal(status, toRetryableError(message, code, seconds), {
    'retry-after': String(seconds),
  });
}
