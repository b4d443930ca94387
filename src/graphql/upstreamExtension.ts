import { createUpstreamCost, type OriginCounts, type UpstreamCost } from '../domain/upstreamCost.ts';

/** Where the data comes from: KeyAPI, or the embedded emulator. */
export type UpstreamSource = 'keyapi' | 'emulator';

/** `extensions.upstream` of a response: what it cost. */
export interface UpstreamExtension {
  readonly source: UpstreamSource;
  readonly requests: number;
  readonly credits: number;
  readonly pages: Readonly<OriginCounts>;
  /** Videos whose numbers it used; absent if it selected no numbers. */
  readonly stats?: Readonly<OriginCounts>;
}

/** The extension for a cost; by default for a response without an operation, which costs nothing. */
export function toUpstreamExtension(
  source: UpstreamSource,
  cost: UpstreamCost = createUpstreamCost(),
): UpstreamExtension {
  return { source, ...cost };
}

/** What an operation costs a request that was coalesced with it: what it fetched is `shared`. */
export function costOfCoalesced(cost: UpstreamCost): UpstreamCost {
  return toFree(cost, (counts) => ({ ...counts, shared: counts.shared + counts.fetched, fetched: 0 }));
}

/** What a cached response costs: nothing, and all that was not stale is `cached`. */
export function costOfCached(cost: UpstreamCost): UpstreamCost {
  return toFree(cost, ({ cached, stale, shared, fetched }) => ({
    cached: cached + shared + fetched,
    stale,
    shared: 0,
    fetched: 0,
  }));
}

function toFree(
  { pages, stats }: UpstreamCost,
  toCounts: (counts: OriginCounts) => OriginCounts,
): UpstreamCost {
  return { requests: 0, credits: 0, pages: toCounts(pages), ...(stats && { stats: toCounts(stats) }) };
}
