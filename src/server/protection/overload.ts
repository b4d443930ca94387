import { getHeapStatistics } from 'node:v8';
import type { Overload } from '../events.ts';

/** What overloads the process now; undefined when nothing does. */
export type CheckOverload = () => Overload | undefined;

/** Limits beyond which the process is overloaded. */
interface OverloadLimits {
  readonly eventLoopDelayMs: number;
  /** Share of V8's heap limit, from 0 to 1. */
  readonly heapShare: number;
}

const TICK_MS = 500;

/**
 * Watches the process: twice a second, by how much the event loop is late and how full the heap is. After a long block
 * of the event loop the process counts as overloaded until the next tick, so that requests that have piled up are
 * refused too.
 *
 * While the heap is full, one operation per tick is still allowed, because V8 collects garbage only when memory is
 * allocated.
 *
 * @param monotonic Milliseconds from an arbitrary start.
 * @param readHeapShare Replaced in tests.
 */
export function watchOverload(
  limits: OverloadLimits,
  monotonic: () => number,
  readHeapShare = currentHeapShare,
) {
  let tickAt = monotonic();
  let wasLate = false;
  let isFull = false;
  let isProbeDue = false;

  const isLate = (): boolean => monotonic() - tickAt - TICK_MS > limits.eventLoopDelayMs;
  const timer = setInterval(() => {
    wasLate = isLate();
    tickAt = monotonic();
    isFull = readHeapShare() > limits.heapShare;
    isProbeDue = isFull;
  }, TICK_MS).unref();

  const check: CheckOverload = () => {
    if (wasLate || isLate()) return 'eventLoopDelay';
    if (!isFull) return undefined;
    const isProbe = isProbeDue;
    isProbeDue = false;
    return isProbe ? undefined : 'heap';
  };
  return { check, close: (): void => clearInterval(timer) };
}

function currentHeapShare(): number {
  const { used_heap_size, heap_size_limit } = getHeapStatistics();
  return used_heap_size / heap_size_limit;
}
