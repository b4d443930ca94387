import { getHeapStatistics } from 'node:v8';

/** What there is too much of. */
export type Overload = 'eventLoopDelay' | 'heap';

/** Tells what there is too much of now; undefined when there is nothing. */
export type CheckOverload = () => Overload | undefined;

/** From when on it is too much. */
export interface OverloadLimits {
  readonly eventLoopDelayMs: number;
  /** Share of the memory that V8 may take, from 0 to 1. */
  readonly heapShare: number;
}

const TICK_MS = 500;

/**
 * Watches the process: twice a second how late that comes, and how full the heap is. What has piled up while the event loop
 * stood still finds it late, and until the next tick.
 *
 * While the heap is full one operation in each tick is let through all the same: V8 looks for what is dead only when
 * somebody asks for memory.
 *
 * @param monotonic Milliseconds from an arbitrary start.
 * @param readHeapShare For tests.
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
