import { useSyncExternalStore } from 'react';

/** What all answers to this page have cost so far. */
export interface Cost {
  readonly requests: number;
  readonly credits: number;
  /** Whether the answers are demo data. */
  readonly isDemo: boolean;
}

/** `extensions.upstream` of an answer. */
interface UpstreamCost {
  readonly source: 'keyapi' | 'emulator';
  readonly requests: number;
  readonly credits: number;
}

let cost: Cost = { requests: 0, credits: 0, isDemo: false };
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Adds what an answer says that it cost; nothing where it says none. */
export function addCost(upstream: UpstreamCost | undefined): void {
  if (!upstream) return;
  cost = {
    requests: cost.requests + upstream.requests,
    credits: cost.credits + upstream.credits,
    isDemo: upstream.source === 'emulator',
  };
  for (const listener of listeners) listener();
}

/** What this page has cost so far. */
export function useCost(): Cost {
  return useSyncExternalStore(subscribe, () => cost);
}
