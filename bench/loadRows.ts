import type { Load } from './load.ts';
import { median } from './measure.ts';
import { format, type Row } from './report.ts';

/** Heads of the columns that `toLoadRows` fills behind the requests a second. */
export const LOAD_COLUMNS = ['p50 ms', 'p99 ms', 'kB an answer'];

/** One row a server: requests a second, and the medians of the rest. */
export function toLoadRows(loads: ReadonlyMap<string, readonly Load[]>): readonly Row[] {
  return [...loads].map(([name, rounds]) => ({
    name,
    values: rounds.map((load) => load.requestsPerSecond),
    more: [
      format(median(rounds.map((load) => load.p50Ms))),
      format(median(rounds.map((load) => load.p99Ms))),
      format(median(rounds.map((load) => load.bytes)) / 1000),
    ],
  }));
}
