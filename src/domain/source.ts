/**
 * Gets a value of an endpoint: KeyAPI's client is a source, and so is every layer between it and a cache. Rejects with
 * an `ApiError`.
 */
export type Source<Key, Value> = (key: Key, call: Call) => Promise<Value>;

/** What whoever needs a value passes along with its key. */
export interface Call {
  /** When nobody waits for the value any more, on the monotonic clock. May change while the call waits for its turn. */
  readonly deadline: () => number;
  /** True for a refresh: nobody waits for it, and the stale value is served meanwhile. */
  readonly background: boolean;
  /** True when calls are stopped, and this one finds out whether they may go on. */
  readonly isProbe?: boolean | undefined;
  /** Aborted, with the error to reject with, when no request must be sent any more. One that was sent goes on. */
  readonly signal?: AbortSignal | undefined;
  /** Called when a request is sent, which is when it is paid for. Not called for one that gets no connection. */
  readonly onSent: () => void;
}

/** The call, which another signal can cancel too. */
export function withSignal(call: Call, signal: AbortSignal): Call {
  return { ...call, signal: call.signal ? AbortSignal.any([call.signal, signal]) : signal };
}
