import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from 'prom-client';

/** Interval at which the event loop's delay is measured. */
const RESOLUTION_MS = 20;

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
  new Gauge({
    name: 'trending_event_loop_delay_seconds',
    help: 'Delay of the event loop since the last scrape; quantile 1 is the maximum',
    labelNames: ['quantile'],
    registers: [registry],
    collect() {
      for (const quantile of [0.5, 0.99, 1]) {
        // What is measured is the interval between timers, which includes the resolution.
        const late = delays.percentile(quantile * 100) / 1e9 - RESOLUTION_MS / 1000;
        this.set({ quantile }, delays.count > 0 ? Math.max(0, late) : 0);
      }
      delays.reset();
    },
  });
  return () => void delays.disable();
}
