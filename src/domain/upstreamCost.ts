/** What one operation has cost so far: one object for each operation, which the data layer adds to. */
export interface UpstreamCost {
  /** Upstream requests that this operation started, retries included. */
  requests: number;
  /** What these requests were charged for. */
  credits: number;
  /** Pages it used, by where they came from. */
  readonly pages: OriginCounts;
  /** Videos whose numbers it used, likewise; undefined if it selected no numbers. */
  stats?: OriginCounts;
}

/** What an operation used, by where it came from. */
export interface OriginCounts {
  /** Cached and fresh. */
  cached: number;
  /** Cached and expired. */
  stale: number;
  /** In flight already, for another operation, a refresh or another replica. */
  shared: number;
  /** Fetched and paid for by this operation. */
  fetched: number;
}

/** How an operation got a page, or the numbers of a video. */
export type Origin = keyof OriginCounts;

/** Counts of an operation that has used nothing yet. */
export function createOriginCounts(): OriginCounts {
  return { cached: 0, stale: 0, shared: 0, fetched: 0 };
}

/** The cost of an operation that has spent nothing yet. */
export function createUpstreamCost(): UpstreamCost {
  return { requests: 0, credits: 0, pages: createOriginCounts() };
}

/** Whether an operation has started no request, and waited for none of another operation. */
export function isFree({ requests, pages, stats }: Readonly<UpstreamCost>): boolean {
  return requests === 0 && pages.shared === 0 && (stats?.shared ?? 0) === 0;
}
