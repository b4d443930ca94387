/** Time, injected so that tests can move it. */
export interface Clock {
  /** Wall clock, in Unix milliseconds: for ages that are shown. */
  readonly now: () => number;
  /** Milliseconds from an arbitrary start, never set back: for lives that are measured. */
  readonly monotonic: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** What deadlines are set with, in milliseconds. */
  readonly timers: Pick<typeof globalThis, 'setTimeout' | 'clearTimeout'>;
}

/** The time of the process. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => void setTimeout(resolve, ms)),
  timers: globalThis,
};
