import type { Logger } from 'pino';
import { isFree } from '../../domain/upstreamCost.ts';
import type { ResponseEvent } from '../../server/events.ts';
import { toReadableName } from '../readableName.ts';
import { toTraceFields } from './traceFields.ts';

/** Lines a second for operations that cost nothing. */
const MAX_LINES = 100;

/**
 * Creates a listener that logs a line for each operation. Those that cost nothing, since they used cached data or were
 * refused, are logged at `info` up to a hundred times a second: at full speed their lines would take an eighth of the
 * processor, and half a terabyte a day. Further ones are logged at `debug`, and a line at `info` gives their number.
 *
 * @param monotonic Milliseconds from an arbitrary start.
 */
export function createOperationLog(log: Logger, monotonic: () => number): (event: ResponseEvent) => void {
  // Asking for each operation takes longer than all else here.
  const isEnabled = { info: log.isLevelEnabled('info'), debug: log.isLevelEnabled('debug') };
  let second = 0;
  let lines = 0;

  /** Whether this second has room for another line of such an operation. */
  function hasRoom(): boolean {
    const now = Math.floor(monotonic() / 1000);
    if (now !== second) {
      if (lines > MAX_LINES) log.info({ count: lines - MAX_LINES }, 'Further operations that cost nothing');
      second = now;
      lines = 0;
    }
    return ++lines <= MAX_LINES;
  }

  return (event) => {
    const level = isNotable(event) || hasRoom() ? 'info' : 'debug';
    if (isEnabled[level]) log[level](toLine(event), 'Operation');
  };
}

/** Whether an operation cost something, waited for what another one paid for, or failed. */
function isNotable({ origin, outcome, cost }: ResponseEvent): boolean {
  if (origin === 'kept' || origin === 'refused') return false;
  return outcome !== 'ok' || !isFree(cost);
}

/** Undefined fields are left out of the line. */
function toLine({ request, name, origin, outcome, codes, status, durationMs, cost }: ResponseEvent): object {
  return {
    requestId: request.id,
    // An undefined one would hide the trace id of the span; the span's own goes first.
    ...(request.traceId !== undefined && { traceId: request.traceId }),
    ...toTraceFields(),
    client: request.client,
    operation: toReadableName(name),
    origin,
    outcome,
    codes: codes.length > 0 ? codes : undefined,
    status,
    durationMs: Math.round(durationMs * 1000) / 1000,
    requests: cost.requests,
    credits: cost.credits,
    pages: cost.pages,
    // Undefined if it selected no numbers.
    stats: cost.stats,
  };
}
