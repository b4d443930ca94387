import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { type Registry, Summary } from 'prom-client';

/** Interval at which the event loop's delay is measured. */
const RESOLUTION_MS = 20;
const QUANTILES = [0.5, 0.99, 1];

/** Reads the event loop's delay with every scrape. Returns a function that stops it. */
export function watchEventLoop(registry: Registry): () => void {
  const intervals = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  intervals.enable();
  summarizeDelays(registry, intervals);
  return () => void intervals.disable();
}

/**
 * Registers the summary of the event loop's delay: quantiles since the last scrape, sum and count since the start.
 *
 * @param intervals Those between timers, in nanoseconds: they include the resolution.
 */
export function summarizeDelays(
  registry: Registry,
  intervals: Pick<IntervalHistogram, 'count' | 'mean' | 'percentile' | 'reset'>,
): void {
  const name = 'trending_event_loop_delay_seconds';
  const help = 'Delay of the event loop; quantiles since the last scrape, 1 is the maximum';
  const total = { sum: 0, count: 0 };
  const toDelay = (nanoseconds: number): number =>
    intervals.count > 0 ? Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1000) : 0;

  function read() {
    const quantiles = QUANTILES.map((quantile) => ({
      labels: { quantile },
      value: toDelay(intervals.percentile(quantile * 100)),
    }));
    total.sum += toDelay(intervals.mean) * intervals.count;
    total.count += intervals.count;
    intervals.reset();
    return [
      ...quantiles,
      { metricName: `${name}_sum`, labels: {}, value: total.sum },
      { metricName: `${name}_count`, labels: {}, value: total.count },
    ];
  }

  const summary = new Summary<'quantile'>({ name, help, registers: [registry] });
  const { get } = summary;
  // Node measures the quantiles: prom-client could only estimate them from single delays, which Node does not give.
  summary.get = async () => ({ ...(await get.call(summary)), values: read() });
}
