import { CREDITS_PER_REQUEST, createUpstreamCost, type UpstreamCost } from '../domain/upstreamCost.ts';

/** Where the data comes from: KeyAPI, or the emulator that stands in for it. */
export type UpstreamSource = 'keyapi' | 'emulator';

/** `extensions.upstream` of an answer: what it cost. */
export interface UpstreamExtension {
  readonly source: UpstreamSource;
  readonly requests: number;
  readonly credits: number;
  readonly pages: Readonly<UpstreamCost['pages']>;
}

/** The extension for a cost; for an answer without an operation, nothing was spent. */
export function toUpstreamExtension(
  source: UpstreamSource,
  { requests, pages }: UpstreamCost = createUpstreamCost(),
): UpstreamExtension {
  return { source, requests, credits: requests * CREDITS_PER_REQUEST, pages };
}

/** What an answer cost whoever waited for it while another operation was paying. */
export function costOfSharer({ pages }: UpstreamCost): UpstreamCost {
  return { requests: 0, pages: { ...pages, shared: pages.shared + pages.fetched, fetched: 0 } };
}

/** What an answer costs when it is given again: nothing, and all that was fresh is held. */
export function costOfCopy({ pages }: UpstreamCost): UpstreamCost {
  const cached = pages.cached + pages.shared + pages.fetched;
  return { requests: 0, pages: { cached, stale: pages.stale, shared: 0, fetched: 0 } };
}
