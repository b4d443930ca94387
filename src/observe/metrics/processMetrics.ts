import { Counter, Gauge, type Registry } from 'prom-client';
import { watchEventLoop } from './eventLoopMetrics.ts';

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
