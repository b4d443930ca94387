import { createOperations } from './operations.ts';

/** What became of the operations. */
export interface Tally {
  sent: number;
  /** Answers by outcome: `ok`, `partial CODE` beside data, else `error CODE`. */
  readonly outcomes: Map<string, number>;
  /** Why there was no answer. */
  readonly unanswered: Map<string, number>;
  readonly latenciesMs: number[];
  /** The sum of what answers say that they cost. */
  credits: number;
}

interface Answer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly { readonly extensions?: { readonly code?: string } }[];
  readonly extensions?: { readonly upstream?: { readonly credits: number } };
}

/** Within this every operation has its answer: `OPERATION_TIMEOUT_MS` is 10 seconds. */
export const ANSWER_BOUND_MS = 15_000;
const TICK_MS = 20;

/** Sends `rate` operations a second for so long, to one URL after the other, whether they are answered or not. */
export async function runLoad(urls: readonly string[], rate: number, durationMs: number): Promise<Tally> {
  const operations = createOperations();
  const tally: Tally = {
    sent: 0,
    outcomes: new Map(),
    unanswered: new Map(),
    latenciesMs: [],
    credits: 0,
  };
  const underWay = new Set<Promise<void>>();
  const startedAt = performance.now();

  async function ask(url: string): Promise<void> {
    const sentAt = performance.now();
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: operations.next() }),
        signal: AbortSignal.timeout(ANSWER_BOUND_MS),
      });
      const text = await response.text();
      const answer = JSON.parse(text) as Answer;
      tally.latenciesMs.push(performance.now() - sentAt);
      tally.credits += answer.extensions?.upstream?.credits ?? 0;
      count(tally.outcomes, toOutcome(answer));
      operations.see(text);
    } catch (error) {
      count(tally.unanswered, error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    }
  }

  await new Promise<void>((resolve) => {
    const ticking = setInterval(() => {
      const elapsedMs = Math.min(performance.now() - startedAt, durationMs);
      for (; tally.sent < (elapsedMs / 1000) * rate; tally.sent++) {
        const asking = ask(urls[tally.sent % urls.length] ?? '');
        underWay.add(asking);
        void asking.then(() => underWay.delete(asking));
      }
      if (elapsedMs < durationMs) return;
      clearInterval(ticking);
      resolve();
    }, TICK_MS);
  });
  await Promise.all(underWay);
  return tally;
}

function toOutcome({ data, errors = [] }: Answer): string {
  const [first] = errors;
  if (first === undefined) return data ? 'ok' : 'error without a code';
  const hasData = Object.values(data ?? {}).some((value) => value !== null);
  return `${hasData ? 'partial' : 'error'} ${first.extensions?.code ?? 'without a code'}`;
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
