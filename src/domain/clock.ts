/** Time, injected so that tests can drive it. */
export interface Clock {
  /** Wall clock, in Unix milliseconds: for the ages that clients see. */
  readonly now: () => number;
  /** Milliseconds from an arbitrary start, never set back: for expiries and durations. */
  readonly monotonic: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Sets deadlines, in milliseconds. */
  readonly timers: Pick<typeof globalThis, 'setTimeout' | 'clearTimeout'>;
}
