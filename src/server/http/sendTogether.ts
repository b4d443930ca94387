/** Sends something at the end of the turn; `now` in milliseconds, on the monotonic clock. */
export type SendTogether<T> = (item: T, now: number) => void;

/** The longest that a response waits for others, in milliseconds, apart from the time that the last of them takes. */
const MAX_WAIT_MS = 2;

/**
 * Sends the responses to all requests that arrived together, at the end of the turn of the event loop. A response that is alone
 * in its turn does not wait. Sending each at once takes up to twice as much processor time: every write replaces what the
 * processor has in its caches, and wakes the client if it is on the same machine, as a proxy is.
 */
export function createSendTogether<T>(send: (item: T) => void): SendTogether<T> {
  let waiting: T[] = [];
  let since = 0;

  function sendAll(): void {
    const all = waiting;
    waiting = [];
    for (const item of all) send(item);
  }

  return (item, now) => {
    if (waiting.push(item) === 1) {
      since = now;
      setImmediate(sendAll);
    } else if (now - since >= MAX_WAIT_MS) sendAll();
  };
}
