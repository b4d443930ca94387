import { createOperations } from './operations.ts';

/** The outcomes of the operations. */
export interface Tally {
  sent: number;
  /** Responses by outcome: `ok`, `partial CODE` with some data, otherwise `error CODE`. */
  readonly outcomes: Map<string, number>;
  /** Operations without a response, by reason. */
  readonly failures: Map<string, number>;
  readonly latenciesMs: number[];
  /** The sum of the credits that responses report. */
  credits: number;
}

interface Result {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly { readonly extensions?: { readonly code?: string } }[];
  readonly extensions?: { readonly upstream?: { readonly credits: number } };
}

/** Every operation must have its response within this time: `OPERATION_TIMEOUT_MS` is 10 seconds. */
export const RESPONSE_DEADLINE_MS = 15_000;
const TICK_MS = 20;

/** Sends `rate` operations per second, to each URL in turn, without waiting for responses. */
export async function runLoad(urls: readonly string[], rate: number, durationMs: number): Promise<Tally> {
  const operations = createOperations();
  const tally: Tally = {
    sent: 0,
    outcomes: new Map(),
    failures: new Map(),
    latenciesMs: [],
    credits: 0,
  };
  const inFlight = new Set<Promise<void>>();
  const startedAt = performance.now();

  async function send(url: string): Promise<void> {
    const sentAt = performance.now();
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: operations.next() }),
        signal: AbortSignal.timeout(RESPONSE_DEADLINE_MS),
      });
      const text = await response.text();
      const result = JSON.parse(text) as Result;
      tally.latenciesMs.push(performance.now() - sentAt);
      tally.credits += result.extensions?.upstream?.credits ?? 0;
      count(tally.outcomes, toOutcome(result));
      operations.see(text);
    } catch (error) {
      count(tally.failures, error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    }
  }

  await new Promise<void>((resolve) => {
    const ticking = setInterval(() => {
      const elapsedMs = Math.min(performance.now() - startedAt, durationMs);
      for (; tally.sent < (elapsedMs / 1000) * rate; tally.sent++) {
        const sending = send(urls[tally.sent % urls.length] ?? '');
        inFlight.add(sending);
        void sending.then(() => inFlight.delete(sending));
      }
      if (elapsedMs < durationMs) return;
      clearInterval(ticking);
      resolve();
    }, TICK_MS);
  });
  await Promise.all(inFlight);
  return tally;
}

function toOutcome({ data, errors = [] }: Result): string {
  const [first] = errors;
  if (first === undefined) return data ? 'ok' : 'error without a code';
  const hasData = Object.values(data ?? {}).some((value) => value !== null);
  return `${hasData ? 'partial' : 'error'} ${first.extensions?.code ?? 'without a code'}`;
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
