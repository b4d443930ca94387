import { context, ProxyTracer, propagation, SpanKind, type Tracer, trace } from '@opentelemetry/api';
import type { PageCache, PageCacheOptions } from '../../data/pages/pageCache.ts';
import { chartId } from '../../domain/chart.ts';
import type { PageSource } from '../../domain/page.ts';
import type { UpstreamCallEvent } from '../../keyapi/events.ts';
import type { FindAnswer } from '../../server/responses/createResponder.ts';
import type { AnswerEvent } from '../../server/events.ts';
import type { AppEvent } from '../appEvent.ts';
import { fail, inSpan } from './inSpan.ts';
import { toReadableName } from '../readableName.ts';
import { TracedPageCache } from './tracedPageCache.ts';

/** What makes spans: of operations, of the pages they wait for, and of the calls that these take. */
export interface Tracing {
  readonly aroundAnswers: (find: FindAnswer) => FindAnswer;
  readonly createPageCache: (options: PageCacheOptions) => PageCache;
  readonly aroundCalls: (wire: PageSource) => PageSource;
  /** Writes what is told into the span in which it is told. */
  readonly onEvent: (event: AppEvent) => void;
}

/**
 * Makes spans through OpenTelemetry's API, for whoever has started its SDK before the program; undefined where nobody
 * has, so that nothing is wrapped and nothing is paid. No headers are added to what is sent to KeyAPI: who calls us, and
 * how our calls hang together, is none of a third party's business.
 */
export function createTracing(): Tracing | undefined {
  const tracer = trace.getTracer('trending-graphql');
  // What the API gives out until there is an SDK.
  if (tracer instanceof ProxyTracer) return undefined;
  return {
    aroundAnswers: (find) => withOperationSpans(find, tracer),
    createPageCache: (options) => new TracedPageCache(tracer, options),
    aroundCalls: (wire) => withCallSpans(wire, tracer),
    onEvent: (event) => {
      if (event.type === 'answer') describeOperation(event);
      if (event.type === 'upstreamCall') describeCall(event);
    },
  };
}

/** The trace and the span in which a line of the log is written; nothing outside of one. */
export function toTraceFields(): Record<string, string> {
  const span = trace.getActiveSpan()?.spanContext();
  return span ? { traceId: span.traceId, spanId: span.spanId } : {};
}

/** Operations belong to the span that is there, of an instrumented HTTP server say, else to what `traceparent` names. */
function withOperationSpans(find: FindAnswer, tracer: Tracer): FindAnswer {
  return (request) => {
    const active = context.active();
    const isWithin = trace.getSpan(active) !== undefined;
    const parent = isWithin ? active : propagation.extract(active, request.headers);
    const kind = isWithin ? SpanKind.INTERNAL : SpanKind.SERVER;
    const span = tracer.startSpan('operation', { kind }, parent);
    return inSpan(span, () => find(request), parent);
  };
}

/** A span for each attempt. That of a refresh, which belongs to no operation, is only linked with who caused it. */
function withCallSpans(wire: PageSource, tracer: Tracer): PageSource {
  return (key, options) => {
    const cause = trace.getActiveSpan();
    const span = tracer.startSpan('upstream call', {
      kind: SpanKind.CLIENT,
      attributes: { 'trending.chart': chartId(key.chart), 'trending.page': key.number },
      ...(options.background && { root: true, links: cause ? [{ context: cause.spanContext() }] : [] }),
    });
    return inSpan(span, () => wire(key, options));
  };
}

function describeOperation({ name, outcome, codes, origin, status, cost, request }: AnswerEvent): void {
  const span = trace.getActiveSpan();
  // What became no operation has no span either.
  if (!span || origin === 'refused') return;
  const readable = toReadableName(name);
  if (readable !== undefined)
    span.updateName(`operation ${readable}`).setAttribute('graphql.operation.name', readable);
  span.setAttributes({
    'http.response.status_code': status,
    'trending.request_id': request.id,
    'trending.origin': origin,
    'trending.outcome': outcome,
    'trending.requests': cost.requests,
    'trending.credits': cost.credits,
  });
  for (const [from, count] of Object.entries(cost.pages)) span.setAttribute(`trending.pages.${from}`, count);
  if (outcome !== 'ok') fail(span, codes);
}

function describeCall({ status, credits, outcome, upstreamRequestId }: UpstreamCallEvent): void {
  const span = trace.getActiveSpan();
  if (!span) return;
  span.setAttribute('trending.credits', credits);
  if (status !== undefined) span.setAttribute('http.response.status_code', status);
  if (upstreamRequestId !== undefined) span.setAttribute('trending.upstream_request_id', upstreamRequestId);
  if (outcome !== 'ok') fail(span, [outcome]);
}
