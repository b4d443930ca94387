import { useSyncExternalStore } from 'react';
import type { UpstreamExtension } from '../../../../schema/extensions.ts';

/** The total cost of all responses in this browser tab. */
interface Cost {
  readonly requests: number;
  readonly credits: number;
  /** Whether the responses contain demo data. */
  readonly isDemo: boolean;
}

const KEY = 'board:cost';
const listeners = new Set<() => void>();
let cost = read();

/** The total before this page was reloaded. */
function read(): Cost {
  const nothing = { requests: 0, credits: 0, isDemo: false };
  try {
    const { requests, credits, isDemo } = JSON.parse(sessionStorage.getItem(KEY) ?? '{}');
    return Number.isSafeInteger(requests) && Number.isSafeInteger(credits)
      ? { requests, credits, isDemo: isDemo === true }
      : nothing;
  } catch {
    // The browser may not allow a page to store anything.
    return nothing;
  }
}

function write(): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(cost));
  } catch {
    // Then the total ends with a reload.
  }
}

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
  write();
  for (const listener of listeners) listener();
}

/** Whether the responses contain demo data. */
export function useIsDemo(): boolean {
  return useSyncExternalStore(subscribe, () => cost.isDemo);
}

/** The total cost in this browser tab so far; it survives reloads. */
export function useCost(): Cost {
  return useSyncExternalStore(subscribe, () => cost);
}
