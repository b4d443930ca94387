import { createUpstreamCost, type OriginCounts } from '../../src/domain/upstreamCost.ts';
import type { ResponseEvent } from '../../src/server/events.ts';

/** The event of an operation that was executed, and used pages and numbers as counted; numbers only if they are given. */
export function makeResponseEvent(
  pages: Partial<OriginCounts>,
  stats?: Partial<OriginCounts>,
): ResponseEvent {
  const { pages: none, ...spent } = createUpstreamCost();
  const cost = { ...spent, pages: { ...none, ...pages }, ...(stats && { stats: { ...none, ...stats } }) };
  return {
    type: 'response',
    name: 'Top',
    operationType: 'query',
    outcome: 'ok',
    codes: [],
    cost,
    origin: 'made',
    status: 200,
    durationMs: 9,
    request: { id: 'req-1', client: undefined, traceId: undefined },
  };
}
