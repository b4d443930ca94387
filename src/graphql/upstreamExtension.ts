import { createUpstreamCost, type OriginCounts, type UpstreamCost } from '../domain/upstreamCost.ts';

/** Where the data comes from: KeyAPI, or the embedded emulator. */
export type UpstreamSource = 'keyapi' | 'emulator';

/** `extensions.upstream` of a response: what it cost. */
export interface UpstreamExtension {
  readonly source: UpstreamSource;
  readonly requests: number;
  readonly credits: number;
  readonly pages: Readonly<UpstreamCost['pages']>;
  readonly stats?: Readonly<OriginCounts>;
}

/** The extension for a cost; by default for a response without an operation, which costs nothing. */
export function toUpstreamExtension(
  source: UpstreamSource,
  cost: UpstreamCost = createUpstreamCost(),
): UpstreamExtension {
  return { source, ...cost };
}

/** What an operation costs a request that was coalesced with it: the pages that it fetched are `shared`. */
export function costOfCoalesced({ pages }: UpstreamCost): UpstreamCost {
  return { requests: 0, credits: 0, pages: { ...pages, shared: pages.shared + pages.fetched, fetched: 0 } };
}

/** What a cached response costs: nothing, and all pages that were not stale are `cached`. */
export function costOfCached({ pages }: UpstreamCost): UpstreamCost {
  const cached = pages.cached + pages.shared + pages.fetched;
  return { requests: 0, credits: 0, pages: { cached, stale: pages.stale, shared: 0, fetched: 0 } };
}
