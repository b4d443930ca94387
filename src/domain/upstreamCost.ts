/** What one operation has cost so far: one object for each operation, which the data layer adds to. */
export interface UpstreamCost {
  /** Upstream requests that this operation started, retries included. */
  requests: number;
  /** What these requests were charged for. */
  credits: number;
  /** Pages it used, by where they came from. */
  readonly pages: {
    /** Cached and fresh. */
    cached: number;
    /** Cached and expired. */
    stale: number;
    /** In flight already, for another operation, a refresh or another replica. */
    shared: number;
    /** Fetched and paid for by this operation. */
    fetched: number;
  };
}

/** How an operation got a page. */
export type PageOrigin = keyof UpstreamCost['pages'];

/** The cost of an operation that has spent nothing yet. */
export function createUpstreamCost(): UpstreamCost {
  return { requests: 0, credits: 0, pages: { cached: 0, stale: 0, shared: 0, fetched: 0 } };
}
