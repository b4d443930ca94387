/** Wakes all waiters when something changes. */
interface ChangeSignal {
  /** Resolves with the next change. */
  next(): Promise<void>;
  /** Reports a change. */
  notify(): void;
}

/** Creates a signal. */
export function createChangeSignal(): ChangeSignal {
  const waiting: (() => void)[] = [];
  return {
    next: () => new Promise((resolve) => void waiting.push(resolve)),
    notify: () => {
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}
