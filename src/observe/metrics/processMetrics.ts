import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from 'prom-client';

/** Of the event loop's delays, how often they are looked at, in milliseconds. */
const RESOLUTION_MS = 20;

/**
 * Has the process itself read with every scrape: what it takes, and by how much its event loop is late. Of the
 * package's own collection only this much: its rest could not be ended. Gives what ends it.
 */
export function watchProcess(registry: Registry): () => void {
  const registers = [registry];
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time that the process has taken',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Memory that the process takes',
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
    help: 'By how much the event loop was late since the last scrape; 1: at most',
    labelNames: ['quantile'],
    registers: [registry],
    collect() {
      for (const quantile of [0.5, 0.99, 1]) {
        // What is measured is when timers come, which are to come every so often.
        const late = delays.percentile(quantile * 100) / 1e9 - RESOLUTION_MS / 1000;
        this.set({ quantile }, delays.count > 0 ? Math.max(0, late) : 0);
      }
      delays.reset();
    },
  });
  return () => void delays.disable();
}
