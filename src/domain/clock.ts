/** Time, injected so that tests can move it. */
export interface Clock {
  /** Wall clock, in Unix milliseconds: for ages that are shown. */
  readonly now: () => number;
  /** Milliseconds from an arbitrary start, never set back: for lives that are measured. */
  readonly monotonic: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}
