import { context, ProxyTracer, propagation, SpanKind, type Tracer, trace } from '@opentelemetry/api';
import type { ReadPage } from '../../data/windows/operationPages.ts';
import type { Endpoint } from '../../domain/endpoint.ts';
import { pageEndpoint } from '../../domain/page.ts';
import type { Source } from '../../domain/source.ts';
import type { OriginCounts } from '../../domain/upstreamCost.ts';
import type { UpstreamCallEvent } from '../../keyapi/events.ts';
import type { ResponseEvent } from '../../server/events.ts';
import type { Responder } from '../../server/responses/createResponder.ts';
import type { AppEvent } from '../appEvent.ts';
import { toReadableName } from '../readableName.ts';
import { fail, inSpan } from './inSpan.ts';

/** Decorators that create spans: for operations, the pages that they wait for, and the calls that these take. */
export interface Tracing {
  readonly withOperationSpans: (respond: Responder) => Responder;
  readonly withPageSpans: (readPage: ReadPage) => ReadPage;
  readonly withCallSpans: <Key, Value>(
    source: Source<Key, Value>,
    endpoint: Endpoint<Key>,
  ) => Source<Key, Value>;
  /** Adds what an event says to the active span. */
  readonly onEvent: (event: AppEvent) => void;
}

/**
 * Creates spans through OpenTelemetry's API, if its SDK was started before the program. Undefined otherwise, so that
 * nothing is decorated and tracing costs nothing. No trace headers are sent to KeyAPI, a third party.
 */
export function createTracing(): Tracing | undefined {
  const tracer = trace.getTracer('trending-graphql');
  // The API gives this one until an SDK is registered.
  if (tracer instanceof ProxyTracer) return undefined;
  return {
    withOperationSpans: (respond) => withOperationSpans(respond, tracer),
    withPageSpans: (readPage) => withPageSpans(readPage, tracer),
    withCallSpans: (source, endpoint) => withCallSpans(source, endpoint, tracer),
    onEvent: (event) => {
      if (event.type === 'response') describeOperation(event);
      if (event.type === 'upstreamCall') describeCall(event);
    },
  };
}

/** The parent is the active span, of an instrumented HTTP server for example, else the one that `traceparent` names. */
function withOperationSpans(respond: Responder, tracer: Tracer): Responder {
  return (request) => {
    const active = context.active();
    const hasParent = trace.getSpan(active) !== undefined;
    const parent = hasParent ? active : propagation.extract(active, request.headers);
    const kind = hasParent ? SpanKind.INTERNAL : SpanKind.SERVER;
    const span = tracer.startSpan('operation', { kind }, parent);
    return inSpan(span, () => respond(request), parent);
  };
}

/** A span for each page that an operation may have to wait for. */
function withPageSpans(readPage: ReadPage, tracer: Tracer): ReadPage {
  return (key, ...args) => {
    const span = tracer.startSpan('page', { attributes: toKeyAttributes(pageEndpoint, key) });
    return inSpan(span, async () => {
      const read = await readPage(key, ...args);
      span.setAttribute('trending.origin', read.origin);
      return read;
    });
  };
}

/** A span for each attempt. A refresh belongs to no operation: its span is only linked to the one that caused it. */
function withCallSpans<Key, Value>(
  source: Source<Key, Value>,
  endpoint: Endpoint<Key>,
  tracer: Tracer,
): Source<Key, Value> {
  return (key, call) => {
    const cause = trace.getActiveSpan();
    const span = tracer.startSpan('upstream call', {
      kind: SpanKind.CLIENT,
      attributes: { 'trending.endpoint': endpoint.name, ...toKeyAttributes(endpoint, key) },
      ...(call.background && { root: true, links: cause ? [{ context: cause.spanContext() }] : [] }),
    });
    return inSpan(span, () => source(key, call));
  };
}

/** `trending.chart` and `trending.page` for a page, `trending.itemIds` for a batch of videos. */
function toKeyAttributes<Key>(endpoint: Endpoint<Key>, key: Key): Record<string, string | number> {
  const fields = Object.entries(endpoint.describe(key));
  return Object.fromEntries(fields.map(([name, value]) => [`trending.${name}`, value]));
}

function describeOperation({ name, outcome, codes, origin, status, cost, request }: ResponseEvent): void {
  const span = trace.getActiveSpan();
  // A refused request has no span.
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
  span.setAttributes(toOriginAttributes('pages', cost.pages));
  if (cost.stats) span.setAttributes(toOriginAttributes('stats', cost.stats));
  if (outcome !== 'ok') fail(span, codes);
}

/** `trending.pages.cached` and so on. */
function toOriginAttributes(name: 'pages' | 'stats', counts: Readonly<OriginCounts>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counts).map(([origin, count]) => [`trending.${name}.${origin}`, count]),
  );
}

function describeCall({ status, credits, outcome, upstreamRequestId }: UpstreamCallEvent): void {
  const span = trace.getActiveSpan();
  if (!span) return;
  span.setAttribute('trending.credits', credits);
  if (status !== undefined) span.setAttribute('http.response.status_code', status);
  if (upstreamRequestId !== undefined) span.setAttribute('trending.upstream_request_id', upstreamRequestId);
  if (outcome !== 'ok') fail(span, [outcome]);
}
