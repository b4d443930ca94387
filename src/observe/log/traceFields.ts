import { trace } from '@opentelemetry/api';

/** The trace and the span that a log line is written in; empty outside of a span. */
export function toTraceFields(): Record<string, string> {
  const span = trace.getActiveSpan()?.spanContext();
  return span ? { traceId: span.traceId, spanId: span.spanId } : {};
}
