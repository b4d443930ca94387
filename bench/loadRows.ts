import { type Loads, median } from './measure.ts';
import { format, type Row } from './report.ts';

/** Headings of the columns that `toLoadRows` adds to requests per second. */
export const LOAD_COLUMNS = ['p50 ms', 'p99 ms', 'kB per response'];

/** One row per server: requests per second, and the medians of the rest. */
export function toLoadRows(loads: Loads): readonly Row[] {
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
