import { Histogram, type Registry } from 'prom-client';

/** In seconds: from cached responses up to operations that wait for upstream. */
const BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The durations with the same labels. */
interface Series {
  readonly operation: string;
  readonly outcome: string;
  /** How many were at most as long as each bucket, and longer than the one before. */
  readonly counts: number[];
  count: number;
  sum: number;
}

/** Adds a duration in seconds. */
type Observe = (operation: string, outcome: string, seconds: number) => void;

/**
 * Registers the histogram of the durations of operations, which counts by itself: an observation of prom-client's own takes
 * longer than finding a cached response.
 */
export function countDurations(registry: Registry): Observe {
  const name = 'trending_operation_duration_seconds';
  const help = 'Time until the response to an operation was ready';
  const byOutcome = new Map<string, Map<string, Series>>();

  function addSeries(operation: string, outcome: string): Series {
    const added = { operation, outcome, counts: BUCKETS.map(() => 0), count: 0, sum: 0 };
    const ofOutcome = byOutcome.get(outcome);
    if (ofOutcome) ofOutcome.set(operation, added);
    else byOutcome.set(outcome, new Map([[operation, added]]));
    return added;
  }

  /** The values of a series, as prom-client writes them: each bucket includes those before it. */
  function toValues({ operation, outcome, counts, count, sum }: Series) {
    const labels = { operation, outcome };
    let atMost = 0;
    const buckets = BUCKETS.map((le, index) => {
      atMost += counts[index] ?? 0;
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: atMost };
    });
    return [
      ...buckets,
      { metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: count },
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }

  const histogram = new Histogram({ name, help, buckets: BUCKETS, registers: [registry] });
  const read = async () => {
    const series = [...byOutcome.values()].flatMap((ofOutcome) => [...ofOutcome.values()]);
    return { name, help, type: 'histogram', aggregator: 'sum', values: series.flatMap(toValues) };
  };
  // The registry reads it by the first of these, JSON by the other.
  Object.assign(histogram, { getForPromString: read, get: read });

  return (operation, outcome, seconds) => {
    const series = byOutcome.get(outcome)?.get(operation) ?? addSeries(operation, outcome);
    // As a loop: V8 does not compile `findIndex` into this function.
    let bucket = 0;
    while (seconds > (BUCKETS[bucket] ?? Number.POSITIVE_INFINITY)) bucket++;
    if (bucket < BUCKETS.length) series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
    series.count++;
    series.sum += seconds;
  };
}
