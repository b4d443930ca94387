/** Wakes those who wait for something to change. */
export interface ChangeSignal {
  /** Resolves with the next change. */
  next(): Promise<void>;
  /** Tells of a change. */
  fire(): void;
}

/** Makes a signal that nobody waits for yet. */
export function createChangeSignal(): ChangeSignal {
  const waiting: (() => void)[] = [];
  return {
    next: () => new Promise((resolve) => void waiting.push(resolve)),
    fire: () => {
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}
