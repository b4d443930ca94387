import { isSpanContextValid, trace } from '@opentelemetry/api';

/** The trace and the span that a log line is written in; empty outside of a span. */
export function toTraceFields(): Record<string, string> {
  const span = trace.getActiveSpan()?.spanContext();
  // An SDK gives the span of a request that it ignores an id of zeros.
  return span && isSpanContextValid(span) ? { traceId: span.traceId, spanId: span.spanId } : {};
}
