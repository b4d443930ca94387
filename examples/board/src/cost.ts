import { useSyncExternalStore } from 'react';
import type { UpstreamExtension } from '../../../schema/extensions.ts';

/** The total cost of all responses to this page. */
export interface Cost {
  readonly requests: number;
  readonly credits: number;
  /** Whether the responses contain demo data. */
  readonly isDemo: boolean;
}

let cost: Cost = { requests: 0, credits: 0, isDemo: false };
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Adds the cost of one response to the total; undefined adds nothing. */
export function addCost(upstream: UpstreamExtension | undefined): void {
  if (!upstream) return;
  cost = {
    requests: cost.requests + upstream.requests,
    credits: cost.credits + upstream.credits,
    isDemo: upstream.source === 'emulator',
  };
  for (const listener of listeners) listener();
}

/** The total cost of this page so far. */
export function useCost(): Cost {
  return useSyncExternalStore(subscribe, () => cost);
}
