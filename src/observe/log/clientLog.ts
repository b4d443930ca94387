import type { Logger } from 'pino';

const WINDOW_MS = 60_000;
/** Clients that are named within that time: addresses are as many as a client wants. */
const MAX_CLIENTS = 10;

/**
 * Creates a listener that names clients that send too many requests, each once a minute and ten at most.
 *
 * @param monotonic Milliseconds from an arbitrary start.
 */
export function createClientLog(log: Logger, monotonic: () => number): (client: string) => void {
  const named = new Set<string>();
  let windowEnd = Number.NEGATIVE_INFINITY;
  let hasFurther = false;

  function startWindow(now: number): void {
    windowEnd = now + WINDOW_MS;
    named.clear();
    hasFurther = false;
  }

  return (client) => {
    const now = monotonic();
    if (now >= windowEnd) startWindow(now);
    if (named.has(client) || hasFurther) return;
    if (named.size < MAX_CLIENTS) {
      named.add(client);
      log.warn({ client }, 'A client sent too many requests: they get HTTP 429');
    } else {
      hasFurther = true;
      log.warn('Further clients sent too many requests: they are not named');
    }
  };
}
