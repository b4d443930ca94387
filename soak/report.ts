import type { Tally } from './load.ts';

/** What both sides counted. */
export interface Bill {
  /** By the servers' metrics. */
  readonly operations: number;
  readonly refreshes: number;
  /** Requests that upstream saw arrive. */
  readonly arrived: number;
}

/** All that was seen. */
export interface Findings {
  readonly tally: Tally;
  readonly bill: Bill;
  /** Credits that a request costs. */
  readonly price: number;
  /** Resident memory of each process, in bytes, in equal steps of time. */
  readonly memory: readonly (readonly number[])[];
  readonly struck: ReadonlyMap<string, number>;
  readonly redisRestarts: number | undefined;
  /** Exit codes of the processes, which were told to end. */
  readonly exits: readonly (number | null)[];
}

/** By how much the last quarter's highest may be above the second quarter's. */
const MAX_GROWTH = 0.15;

interface Condition {
  readonly text: string;
  readonly holds: boolean;
}

/** Writes the table, and whether every condition holds. */
export function toReport(findings: Findings): { readonly text: string; readonly isGood: boolean } {
  const { tally, bill, price, struck, redisRestarts } = findings;
  const latencies = tally.latenciesMs.toSorted((a, b) => a - b);
  const rows: [string, string | number][] = [
    ['operations sent', tally.sent],
    ...sorted(tally.outcomes).map(([outcome, count]): [string, number] => [`  ${outcome}`, count]),
    ['unanswered', sum(tally.unanswered)],
    ...sorted(tally.unanswered).map(([reason, count]): [string, number] => [`  ${reason}`, count]),
    ['p50 / p99 / worst', [0.5, 0.99, 1].map((share) => `${at(latencies, share).toFixed(1)} ms`).join(' / ')],
    [
      'upstream faults',
      sorted(struck)
        .map((pair) => pair.join(' '))
        .join(', ') || 'none',
    ],
    ['Redis restarts', redisRestarts ?? 'none: redis-server is not on the PATH'],
    ['credits, by answers', tally.credits],
    ['credits, by metrics: operations', bill.operations],
    ['credits, by metrics: refreshes', bill.refreshes],
    [`requests arrived upstream x ${price}`, bill.arrived * price],
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

function toConditions({ tally, bill, price, memory, exits }: Findings): Condition[] {
  const upstream = bill.arrived * price;
  const answered = sum(tally.outcomes);
  return [
    { text: 'every operation was answered', holds: tally.sent > 0 && answered === tally.sent },
    { text: 'no answer was a defect', holds: ![...tally.outcomes.keys()].some(isDefect) },
    { text: 'metrics bill what arrived upstream', holds: bill.operations + bill.refreshes === upstream },
    {
      text: 'answers and refreshes together are that bill',
      holds: tally.credits + bill.refreshes === upstream,
    },
    {
      text: `memory is flat: the last quarter's highest is within ${MAX_GROWTH * 100}% of the second's`,
      holds: memory.every((samples) => quarter(samples, 3) <= quarter(samples, 1) * (1 + MAX_GROWTH)),
    },
    { text: 'every process lived to the end, and ended in order', holds: exits.every((code) => code === 0) },
  ];
}

const isDefect = (outcome: string): boolean => /INTERNAL_SERVER_ERROR|without a code/.test(outcome);

const quarters = (samples: readonly number[]): string =>
  [0, 1, 2, 3].map((index) => `${(quarter(samples, index) / 1e6).toFixed(0)} MB`).join(', ');

/** The highest of a quarter, counted from 0. */
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
