import { Registry } from 'prom-client';
import type { Clock } from '../../domain/clock.ts';
import type { Metrics } from '../../server/routes/metricsRoute.ts';
import type { AppEvent } from '../appEvent.ts';
import { type CircuitMetricsOptions, countCircuits } from './circuitMetrics.ts';
import { type Parts, watchParts } from './partMetrics.ts';
import { watchProcess } from './processMetrics.ts';
import { countResponses } from './responseMetrics.ts';
import { countUpstream } from './upstreamMetrics.ts';

/** See `createMetrics`. */
export interface MetricsOptions extends CircuitMetricsOptions {
  readonly clock: Clock;
  /** Names of operations that are known beforehand. */
  readonly operationNames: Iterable<string>;
}

/** Metrics of one program, which grow with what it is told. */
export interface AppMetrics extends Metrics {
  readonly onEvent: (event: AppEvent) => void;
  /** Has these parts read with every scrape. */
  watch(parts: Parts): void;
  close(): void;
}

/**
 * Makes the metrics of `docs/operations.md`, in Prometheus's format. Whatever is sent to the server, their labels have a
 * bounded variety, and nothing of KeyAPI's words or of secrets in them.
 */
export function createMetrics(options: MetricsOptions): AppMetrics {
  const registry = new Registry();
  const listeners = [
    countResponses(registry, options.operationNames),
    countUpstream(registry),
    countCircuits(registry, options),
  ];
  const close = watchProcess(registry);
  return {
    contentType: registry.contentType,
    read: () => registry.metrics(),
    onEvent: (event) => {
      for (const listener of listeners) listener(event);
    },
    watch: (parts) => watchParts(registry, parts),
    close,
  };
}
