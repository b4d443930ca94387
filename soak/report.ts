import type { Tally } from './load.ts';

/** The cost as counted by the servers and by upstream. */
export interface Bill {
  /** Credits in the servers' metrics. */
  readonly operations: number;
  readonly refreshes: number;
  /** Credits that the requests cost that arrived upstream. */
  readonly upstream: number;
}

/** Everything that was measured. */
export interface Findings {
  readonly tally: Tally;
  readonly bill: Bill;
  /** Resident memory of each process in bytes, sampled at equal intervals. */
  readonly memory: readonly (readonly number[])[];
  readonly faults: ReadonlyMap<string, number>;
  readonly redisRestarts: number | undefined;
  /** Exit codes of the processes after SIGTERM. */
  readonly exits: readonly (number | null)[];
}

/** By how much the last quarter's maximum may exceed the second quarter's. */
const MAX_GROWTH = 0.15;

interface Condition {
  readonly text: string;
  readonly holds: boolean;
}

/** The report as text, and whether every condition holds. */
export function toReport(findings: Findings): { readonly text: string; readonly isGood: boolean } {
  const { tally, bill, faults, redisRestarts } = findings;
  const latencies = tally.latenciesMs.toSorted((a, b) => a - b);
  const rows: [string, string | number][] = [
    ['operations sent', tally.sent],
    ...sorted(tally.outcomes).map(([outcome, count]): [string, number] => [`  ${outcome}`, count]),
    ['without a response', sum(tally.failures)],
    ...sorted(tally.failures).map(([reason, count]): [string, number] => [`  ${reason}`, count]),
    ['p50 / p99 / worst', [0.5, 0.99, 1].map((share) => `${at(latencies, share).toFixed(1)} ms`).join(' / ')],
    [
      'upstream faults',
      sorted(faults)
        .map((pair) => pair.join(' '))
        .join(', ') || 'none',
    ],
    ['Redis restarts', redisRestarts ?? 'none: redis-server is not on the PATH'],
    ['credits in responses', tally.credits],
    ['credits in metrics: operations', bill.operations],
    ['credits in metrics: refreshes', bill.refreshes],
    ['credits of requests that arrived upstream', bill.upstream],
    ...findings.memory.map((samples, index): [string, string] => [
      `memory ${index + 1}, by quarter`,
      quarters(samples),
    ]),
  ];
  const conditions = toConditions(findings);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = [
    ...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    '',
    ...conditions.map(({ text, holds }) => `${holds ? 'holds' : 'FAILS'}  ${text}`),
  ];
  return { text: `${lines.join('\n')}\n`, isGood: conditions.every(({ holds }) => holds) };
}

function toConditions({ tally, bill, memory, exits }: Findings): Condition[] {
  const { upstream } = bill;
  const responses = sum(tally.outcomes);
  return [
    { text: 'every operation got a response', holds: tally.sent > 0 && responses === tally.sent },
    { text: 'no response was a defect', holds: ![...tally.outcomes.keys()].some(isDefect) },
    { text: 'the metrics match upstream', holds: bill.operations + bill.refreshes === upstream },
    { text: 'responses and refreshes match the metrics', holds: tally.credits + bill.refreshes === upstream },
    {
      text: `memory is flat: the last quarter's maximum is at most ${MAX_GROWTH * 100}% above the second's`,
      holds: memory.every((samples) => quarter(samples, 3) <= quarter(samples, 1) * (1 + MAX_GROWTH)),
    },
    { text: 'no process exited early', holds: exits.every((code) => code === 0) },
  ];
}

const isDefect = (outcome: string): boolean => /INTERNAL_SERVER_ERROR|without a code/.test(outcome);

const quarters = (samples: readonly number[]): string =>
  [0, 1, 2, 3].map((index) => `${(quarter(samples, index) / 1e6).toFixed(0)} MB`).join(', ');

/** The maximum of a quarter; quarters count from 0. */
function quarter(samples: readonly number[], index: number): number {
  const edge = (number: number): number => Math.floor((samples.length * number) / 4);
  return Math.max(...samples.slice(edge(index), edge(index + 1)));
}

const at = (values: readonly number[], share: number): number =>
  values[Math.max(0, Math.ceil(values.length * share) - 1)] ?? Number.NaN;

const sum = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((total, count) => total + count, 0);

const sorted = (counts: ReadonlyMap<string, number>): [string, number][] =>
  [...counts].sort(([, a], [, b]) => b - a);
