import type { Logger } from 'pino';
import type { Config } from '../config/loadConfig.ts';
import type { Clock } from '../domain/clock.ts';
import type { AppEvent } from '../observe/appEvent.ts';
import { createEventLog } from '../observe/log/eventLog.ts';
import { type AppMetrics, createMetrics } from '../observe/metrics/createMetrics.ts';
import type { Parts } from '../observe/metrics/partMetrics.ts';
import { createTracing, type Tracing } from '../observe/tracing/createTracing.ts';
import { operationNames, type TrustedDocuments } from '../server/trustedDocuments/trustedDocuments.ts';

/** See `createObservability`. */
interface ObservabilityOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  /** Their operations have separate labels in the metrics. */
  readonly trusted: TrustedDocuments | undefined;
  /** One more listener. */
  readonly onEvent: ((event: AppEvent) => void) | undefined;
}

/** What observes the program. */
export interface Observability {
  /** Passes an event on to the log, metrics and traces. */
  readonly onEvent: (event: AppEvent) => void;
  /** Undefined when they are not served. */
  readonly metrics: AppMetrics | undefined;
  /** Undefined without an OpenTelemetry SDK. */
  readonly tracing: Tracing | undefined;
  /** Reads these parts with every scrape of the metrics. */
  watch(parts: Parts): void;
  close(): void;
}

/** Creates the log's listener, metrics and tracing. */
export function createObservability(options: ObservabilityOptions): Observability {
  const { config, clock, log, trusted } = options;
  const hasBudget = config.credits.perDay !== undefined;
  const hasRedis = config.redis !== undefined;
  const metrics =
    config.metrics && createMetrics({ hasBudget, hasRedis, operationNames: operationNames(trusted) });
  const tracing = createTracing();
  const eventLog = createEventLog(log, clock);
  const listeners = [eventLog.onEvent, metrics?.onEvent, tracing?.onEvent, options.onEvent].filter(
    (listener) => listener !== undefined,
  );
  return {
    onEvent: (event) => {
      for (const listener of listeners) listener(event);
    },
    metrics,
    tracing,
    watch: (parts) => metrics?.watch(parts),
    close: () => {
      metrics?.close();
      eventLog.close();
    },
  };
}
