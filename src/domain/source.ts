/**
 * Gets a value of an endpoint: KeyAPI's client is a source, and so is every layer between it and a cache. Rejects with
 * an `ApiError`.
 */
export type Source<Key, Value> = (key: Key, call: Call) => Promise<Value>;

/** What the caller passes along with the key. */
export interface Call {
  /**
   * Until when the caller waits for the value, on the monotonic clock. May change while the call waits for its turn.
   */
  readonly deadline: () => number;
  /** True for a refresh: nobody waits for it, and the stale value is served meanwhile. */
  readonly background: boolean;
  /** True for a probe: calls are stopped, and this one finds out whether they can continue. */
  readonly isProbe?: boolean | undefined;
  /**
   * Aborted, with the error to reject with, when the request must not be sent any more. A request that was already sent
   * continues.
   */
  readonly signal?: AbortSignal | undefined;
  /** Called when a request is sent, which is when it is paid for. Not called for one that gets no connection. */
  readonly onSent: () => void;
}

/** The call, which another signal can cancel too. */
export function withSignal(call: Call, signal: AbortSignal): Call {
  return { ...call, signal: call.signal ? AbortSignal.any([call.signal, signal]) : signal };
}
