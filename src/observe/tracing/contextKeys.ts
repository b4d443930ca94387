import { type Context, createContextKey } from '@opentelemetry/api';

// Keys of `@opentelemetry/core`, by which SDKs and instrumentations understand each other; the API has none for this.
// They are global symbols. The package itself would make the bundle larger by all that it exports.
const SUPPRESS_TRACING = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');
const RPC_METADATA = createContextKey('OpenTelemetry SDK Context Key RPC_METADATA');

/** A context in which no instrumentation creates a span, and no propagator writes a header. */
export function suppressTracing(context: Context): Context {
  return context.setValue(SUPPRESS_TRACING, true);
}

/**
 * Gives the request's route to the instrumentation of the HTTP server, if there is one: it is the attribute `http.route` of
 * its span, and of its metrics.
 */
export function setRoute(context: Context, route: string): void {
  const metadata = context.getValue(RPC_METADATA);
  if (typeof metadata === 'object' && metadata !== null) Object.assign(metadata, { route });
}
