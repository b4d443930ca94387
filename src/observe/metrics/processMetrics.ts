import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, type Registry, Summary } from 'prom-client';

/** Interval at which the event loop's delay is measured. */
const RESOLUTION_MS = 20;
const QUANTILES = [0.5, 0.99, 1];

/**
 * Reads the process with every scrape: its processor time, memory and event loop delay. Not by prom-client's own
 * collection, which cannot be stopped. Returns a function that stops it.
 */
export function watchProcess(registry: Registry): () => void {
  const registers = [registry];
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time of the process',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory of the process',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({
    name: 'process_start_time_seconds',
    help: 'When the process started, in Unix time',
    registers,
  }).set(Date.now() / 1000 - process.uptime());
  return watchEventLoop(registry);
}

function watchEventLoop(registry: Registry): () => void {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  const name = 'trending_event_loop_delay_seconds';
  const help = 'Delay of the event loop; quantiles since the last scrape, 1 is the maximum';
  let sum = 0;
  let count = 0;
  const read = () => {
    // What is measured is the interval between timers, which includes the resolution.
    const toDelay = (nanoseconds: number): number =>
      delays.count > 0 ? Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1000) : 0;
    const quantiles = QUANTILES.map((quantile) => ({
      labels: { quantile },
      value: toDelay(delays.percentile(quantile * 100)),
    }));
    sum += toDelay(delays.mean) * delays.count;
    count += delays.count;
    delays.reset();
    return [
      ...quantiles,
      { metricName: `${name}_sum`, labels: {}, value: sum },
      { metricName: `${name}_count`, labels: {}, value: count },
    ];
  };
  const summary = new Summary<'quantile'>({ name, help, registers: [registry] });
  // Node has the quantiles: prom-client would estimate them once more, from each single delay.
  const { get } = summary;
  summary.get = async () => ({ ...(await get.call(summary)), values: read() });
  return () => void delays.disable();
}
