import type { Logger } from 'pino';
import type { ResponseEvent } from '../../server/events.ts';
import { toReadableName } from '../readableName.ts';

/** Lines a second, of answers that took no work. */
const MAX_LINES = 100;

/**
 * Writes a line for each operation. Of those that took no work, because their answer was kept or they were refused, each
 * has one at `info` up to a hundred a second: at full speed these lines would take an eighth of the processor, and half a
 * terabyte a day. Those beyond have theirs at `debug`, and a line tells how many they were.
 *
 * @param monotonic Milliseconds from an arbitrary start.
 */
export function createOperationLog(log: Logger, monotonic: () => number): (event: ResponseEvent) => void {
  let second = 0;
  let lines = 0;

  /** Whether there is room in this second for another line of such an answer. */
  function hasRoom(): boolean {
    const now = Math.floor(monotonic() / 1000);
    if (now !== second) {
      if (lines > MAX_LINES)
        log.info({ count: lines - MAX_LINES }, 'Operations that took no work and have no line');
      second = now;
      lines = 0;
    }
    return ++lines <= MAX_LINES;
  }

  return (event) => {
    const isWork = event.origin === 'made' || event.origin === 'shared';
    const level = isWork || hasRoom() ? 'info' : 'debug';
    if (log.isLevelEnabled(level)) log[level](toLine(event), 'Operation');
  };
}

/** What is undefined here is left out of the line. */
function toLine({ request, name, origin, outcome, codes, status, durationMs, cost }: ResponseEvent): object {
  return {
    requestId: request.id,
    // One that is undefined would hide that of the span.
    ...(request.traceId !== undefined && { traceId: request.traceId }),
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
  };
}
