/** What KeyAPI charges for every request, whatever its limit; failed ones are counted too. */
export const CREDITS_PER_REQUEST = 2;

/** What one operation cost so far. One object an operation; whoever spends or reads pages for it counts here. */
export interface UpstreamCost {
  /** Upstream requests that this operation started, retries included. */
  requests: number;
  /** Pages it used, by how they were come by. */
  readonly pages: {
    /** Held and fresh. */
    cached: number;
    /** Held, past their time to live. */
    stale: number;
    /** Waited for while another operation was paying for them. */
    shared: number;
    /** Fetched and paid for by this operation. */
    fetched: number;
  };
}

/** The cost of an operation that has spent nothing yet. */
export function createUpstreamCost(): UpstreamCost {
  return { requests: 0, pages: { cached: 0, stale: 0, shared: 0, fetched: 0 } };
}
