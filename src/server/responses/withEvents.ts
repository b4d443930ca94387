import { after } from '../../graphql/execution/after.ts';
import type { OnServerEvent } from '../events.ts';
import type { GraphqlRequest } from '../http/exchange.ts';
import { identify } from '../http/requestIdentity.ts';
import type { Responder, ServedResponse } from './createResponder.ts';

/** See `withEvents`. */
interface EventOptions {
  /** In milliseconds. */
  readonly monotonic: () => number;
  readonly onEvent: OnServerEvent;
}

/**
 * Emits a `response` event for each response, with the time that it took. The front emits those of requests
 * that are refused.
 */
export function withEvents(respond: Responder, { monotonic, onEvent }: EventOptions): Responder {
  function report(request: GraphqlRequest, startedAt: number, { response, origin }: ServedResponse): void {
    const { status, summary } = response;
    // The page of Apollo Sandbox is not an operation.
    if (!summary) return;
    const { name, operationType, outcome, codes, cost } = summary;
    const durationMs = monotonic() - startedAt;
    onEvent({
      type: 'response',
      origin,
      status,
      name,
      operationType,
      outcome,
      codes,
      cost,
      durationMs,
      request: identify(request),
    });
  }

  return (request) => {
    const startedAt = monotonic();
    return after(respond(request), (served) => {
      report(request, startedAt, served);
      return served;
    });
  };
}
