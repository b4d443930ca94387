import { type Context, context, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import { ApiError } from '../../domain/errors.ts';

/** Runs a function, and all that it starts, inside a span; ends the span with it. */
export function inSpan<T>(span: Span, run: () => T, parent: Context = context.active()): T {
  const end = (): void => span.end();
  const endFailed = (error: unknown): void => {
    fail(span, error instanceof ApiError ? [error.code] : ['INTERNAL_SERVER_ERROR']);
    end();
  };
  try {
    const result = context.with(trace.setSpan(parent, span), run);
    if (result instanceof Promise) result.then(end, endFailed);
    else end();
    return result;
  } catch (error) {
    endFailed(error);
    throw error;
  }
}

/** Marks a span as failed, by error codes alone: messages may contain KeyAPI's texts. */
export function fail(span: Span, codes: readonly string[]): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: codes.join(', ') });
  if (codes[0] !== undefined) span.setAttribute('error.type', codes[0]);
}
