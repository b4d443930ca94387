import { type Context, context, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import { ApiError } from '../../domain/errors.ts';

/** Runs what a span stands for, with all that follows from it inside the span, and ends the span with it. */
export function inSpan<T>(span: Span, run: () => T, parent: Context = context.active()): T {
  const result = context.with(trace.setSpan(parent, span), run);
  if (result instanceof Promise) {
    result.then(
      () => span.end(),
      (error: unknown) => {
        fail(span, error instanceof ApiError ? [error.code] : ['INTERNAL_SERVER_ERROR']);
        span.end();
      },
    );
  } else {
    span.end();
  }
  return result;
}

/** Notes that a span's work failed, by codes alone: messages may have KeyAPI's words in them. */
export function fail(span: Span, codes: readonly string[]): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: codes.join(', ') });
  if (codes[0] !== undefined) span.setAttribute('error.type', codes[0]);
}
