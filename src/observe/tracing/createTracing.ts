import { context, ProxyTracer, propagation, SpanKind, type Tracer, trace } from '@opentelemetry/api';
import type { ReadPage } from '../../data/windows/operationPages.ts';
import type { Endpoint } from '../../domain/endpoint.ts';
import { hostAndPort } from '../../domain/hostAndPort.ts';
import { pageEndpoint } from '../../domain/page.ts';
import type { Source } from '../../domain/source.ts';
import type { OriginCounts } from '../../domain/upstreamCost.ts';
import type { UpstreamCallEvent } from '../../keyapi/events.ts';
import type { ResponseEvent } from '../../server/events.ts';
import type { Responder } from '../../server/responses/createResponder.ts';
import type { AppEvent } from '../appEvent.ts';
import { toReadableName } from '../readableName.ts';
import { setRoute, suppressTracing } from './contextKeys.ts';
import { fail, inSpan } from './inSpan.ts';

/** What spans are called until the type of their operation is known. */
const UNKNOWN_OPERATION = 'GraphQL Operation';

/** Decorators that create spans: for operations, the pages that they wait for, and the calls that these take. */
export interface Tracing {
  readonly withOperationSpans: (respond: Responder) => Responder;
  readonly withPageSpans: (readPage: ReadPage) => ReadPage;
  /** @param baseUrl Where the calls go. */
  readonly withCallSpans: <Key, Value>(
    source: Source<Key, Value>,
    endpoint: Endpoint<Key>,
    baseUrl: URL,
  ) => Source<Key, Value>;
  /** Names the span of the HTTP server that is active, if there is one, after the request's route. */
  readonly onRoute: (route: string) => void;
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
    withCallSpans: (source, endpoint, baseUrl) => withCallSpans(source, endpoint, { baseUrl, tracer }),
    onRoute: (route) => setRoute(context.active(), route),
    onEvent: (event) => {
      if (event.type === 'response') describeOperation(event);
      if (event.type === 'upstreamCall') describeCall(event);
    },
  };
}

/**
 * The parent is the active span, of an instrumented HTTP server for example, else the one that `traceparent` names. Below
 * another span of this process it is `INTERNAL`: backends count each `SERVER` span as a request.
 */
function withOperationSpans(respond: Responder, tracer: Tracer): Responder {
  return (request) => {
    const active = context.active();
    const hasParent = trace.getSpan(active) !== undefined;
    const parent = hasParent ? active : propagation.extract(active, request.headers);
    const kind = hasParent ? SpanKind.INTERNAL : SpanKind.SERVER;
    const span = tracer.startSpan(UNKNOWN_OPERATION, { kind }, parent);
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

/**
 * A span for each attempt. A refresh belongs to no operation: its span is only linked to the one that caused it. An
 * instrumentation of the HTTP client would add trace headers to the request, and a second span: it is switched off
 * for the attempt.
 */
function withCallSpans<Key, Value>(
  source: Source<Key, Value>,
  endpoint: Endpoint<Key>,
  { baseUrl, tracer }: { readonly baseUrl: URL; readonly tracer: Tracer },
): Source<Key, Value> {
  const attributes = { 'trending.endpoint': endpoint.name, ...toServerAttributes(baseUrl) };
  return (key, call) => {
    const cause = trace.getActiveSpan();
    const span = tracer.startSpan('upstream call', {
      kind: SpanKind.CLIENT,
      attributes: { ...attributes, ...toKeyAttributes(endpoint, key) },
      ...(call.background && { root: true, links: cause ? [{ context: cause.spanContext() }] : [] }),
    });
    return inSpan(span, () => source(key, call), suppressTracing(context.active()));
  };
}

/** What the conventions for HTTP clients ask for, but the URL: the settings may have a secret in it. */
function toServerAttributes(baseUrl: URL): Record<string, string | number> {
  const { host, port } = hostAndPort(baseUrl);
  return { 'http.request.method': 'GET', 'server.address': host, 'server.port': port };
}

/** `trending.chart` and `trending.page` for a page, `trending.itemIds` for a batch of videos. */
function toKeyAttributes<Key>(endpoint: Endpoint<Key>, key: Key): Record<string, string | number> {
  const fields = Object.entries(endpoint.describe(key));
  return Object.fromEntries(fields.map(([name, value]) => [`trending.${name}`, value]));
}

/** Not by its document, which may have a secret, and 90 kB. Named by its type alone: clients choose the names. */
function describeOperation(event: ResponseEvent): void {
  const { name, operationType, outcome, codes, origin, status, cost, request } = event;
  const span = trace.getActiveSpan();
  // A refused request has no span.
  if (!span || origin === 'refused') return;
  if (operationType !== undefined)
    span.updateName(operationType).setAttribute('graphql.operation.type', operationType);
  const readable = toReadableName(name);
  if (readable !== undefined) span.setAttribute('graphql.operation.name', readable);
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
