import { Registry } from 'prom-client';
import type { Metrics } from '../../server/routes/metricsRoute.ts';
import type { AppEvent } from '../appEvent.ts';
import { countLimits } from './limitMetrics.ts';
import { type Parts, watchParts } from './partMetrics.ts';
import { watchProcess } from './processMetrics.ts';
import { countOutages } from './redisMetrics.ts';
import { countResponses } from './responseMetrics.ts';
import { countUpstream } from './upstreamMetrics.ts';

/** See `createMetrics`. */
interface MetricsOptions {
  readonly hasBudget: boolean;
  readonly hasRedis: boolean;
  /** Names of operations that are known in advance. */
  readonly operationNames: Iterable<string>;
}

/** The metrics of the program. */
export interface AppMetrics extends Metrics {
  readonly onEvent: (event: AppEvent) => void;
  /** Reads these parts with every scrape. */
  watch(parts: Parts): void;
  close(): void;
}

/**
 * Creates the metrics of `docs/operations.md`, in Prometheus's format. Whatever clients send, the number of label
 * values is bounded; no label contains KeyAPI's texts or a secret.
 */
export function createMetrics(options: MetricsOptions): AppMetrics {
  const registry = new Registry();
  const listeners = [
    countResponses(registry, options.operationNames),
    countUpstream(registry),
    countLimits(registry, options.hasBudget),
    ...(options.hasRedis ? [countOutages(registry)] : []),
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
