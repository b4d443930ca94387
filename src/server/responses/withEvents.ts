import type { OnServerEvent } from '../events.ts';
import { identify } from '../http/requestIdentity.ts';
import type { FindAnswer, FoundAnswer, GraphqlRequest } from './createResponder.ts';

/** See `withTelling`. */
export interface TellingOptions {
  /** In milliseconds. */
  readonly monotonic: () => number;
  readonly onEvent: OnServerEvent;
}

/** Tells of every answer that is found, and of how long that took. One that fails is told of by whoever words the failure. */
export function withTelling(find: FindAnswer, { monotonic, onEvent }: TellingOptions): FindAnswer {
  function tell(request: GraphqlRequest, startedAt: number, { answer, origin }: FoundAnswer): void {
    const { status, account } = answer;
    // A page for browsers is no operation.
    if (!account) return;
    const { name, outcome, codes, cost } = account;
    const durationMs = monotonic() - startedAt;
    onEvent({
      type: 'answer',
      origin,
      status,
      name,
      outcome,
      codes,
      cost,
      durationMs,
      request: identify(request),
    });
  }

  return (request) => {
    const startedAt = monotonic();
    const found = find(request);
    if (!(found instanceof Promise)) {
      tell(request, startedAt, found);
      return found;
    }
    return found.then((made) => {
      tell(request, startedAt, made);
      return made;
    });
  };
}
