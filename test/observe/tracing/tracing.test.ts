import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  context,
  ProxyTracerProvider,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import {
  isTracingSuppressed,
  type RPCMetadata,
  RPCType,
  setRPCMetadata,
  suppressTracing,
} from '@opentelemetry/core';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { TrendingOrder } from '../../../src/domain/chart.ts';
import { pageEndpoint } from '../../../src/domain/page.ts';
import { statsEndpoint } from '../../../src/domain/videoStats.ts';
import { createTracing } from '../../../src/observe/tracing/createTracing.ts';
import { type EmulatedApp, startApp, startEmulatedApp } from '../../support/app.ts';
import { createCall, settle } from '../../support/cache.ts';
import { createTestClock } from '../../support/clock.ts';
import { createMemoryLog } from '../../support/memoryLog.ts';
import { makeResponseEvent } from '../../support/responseEvent.ts';
import { makeSuccess, reply, startUpstream } from '../../support/upstream.ts';

const KEYAPI = new URL('https://keyapi.test');
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${TRACE_ID}-b7ad6b7169203331-01`;

describe('without an SDK', () => {
  it('creates no tracing', () => {
    expect(trace.getTracerProvider()).toBeInstanceOf(ProxyTracerProvider);
    expect(createTracing()).toBeUndefined();
  });
});

describe('with an SDK', () => {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  let app: EmulatedApp;

  beforeAll(() => provider.register());
  beforeEach(() => exporter.reset());
  afterEach(() => app?.close());
  afterAll(async () => {
    await provider.shutdown();
    trace.disable();
    propagation.disable();
  });

  /** The spans whose names start with `name`, in the order in which they ended. */
  function spans(name = ''): ReadableSpan[] {
    return exporter.getFinishedSpans().filter((span) => span.name.startsWith(name));
  }

  const nameOf = (span: ReadableSpan | undefined) => span?.attributes['graphql.operation.name'];

  const parentOf = (span: ReadableSpan | undefined) =>
    spans().find((other) => other.spanContext().spanId === span?.parentSpanContext?.spanId);

  it('makes an operation the parent of its pages, and each page the parent of its call', async () => {
    app = await startEmulatedApp();
    await app.query(
      'query Two { us: trendingVideos { totalCount nodes { id } } gb: trendingVideos(region: "GB") { nodes { id } } }',
    );
    const [operation] = spans('query');
    expect(operation).toMatchObject({
      name: 'query',
      kind: SpanKind.SERVER,
      parentSpanContext: undefined,
      status: { code: SpanStatusCode.UNSET },
      attributes: {
        'graphql.operation.name': 'Two',
        'graphql.operation.type': 'query',
        'http.response.status_code': 200,
        'trending.origin': 'made',
        'trending.outcome': 'ok',
        'trending.requests': 2,
        'trending.credits': 4,
        'trending.pages.fetched': 2,
        'trending.pages.cached': 0,
      },
    });
    const pages = spans('page');
    expect(new Set(pages.map(({ attributes }) => attributes))).toEqual(
      new Set([
        { 'trending.chart': 'US:7:VIEWS', 'trending.page': 1, 'trending.origin': 'fetched' },
        { 'trending.chart': 'GB:7:VIEWS', 'trending.page': 1, 'trending.origin': 'fetched' },
      ]),
    );
    for (const page of pages) expect(parentOf(page)).toBe(operation);
    const calls = spans('upstream call');
    expect(calls).toHaveLength(2);
    for (const call of calls) {
      const { 'trending.chart': chart } = call.attributes;
      expect(parentOf(call)?.attributes['trending.chart']).toBe(chart);
      expect(call).toMatchObject({
        kind: SpanKind.CLIENT,
        attributes: {
          'http.request.method': 'GET',
          'http.response.status_code': 200,
          'server.address': '127.0.0.1',
          'server.port': expect.any(Number),
          'trending.endpoint': 'trendingVideos',
          'trending.credits': 2,
        },
      });
    }
  });

  it('describes an operation by the numbers that it used, if it asked for some', () => {
    const tracing = createTracing();
    for (const event of [makeResponseEvent({}, { stale: 2, fetched: 8 }), makeResponseEvent({})]) {
      trace.getTracer('test').startActiveSpan('operation', (span) => {
        tracing?.onEvent(event);
        span.end();
      });
    }
    const names = ['cached', 'stale', 'shared', 'fetched'].map((origin) => `trending.stats.${origin}`);
    expect(spans().map(({ attributes }) => names.map((name) => attributes[name]))).toEqual([
      [0, 2, 0, 8],
      [undefined, undefined, undefined, undefined],
    ]);
  });

  it('names the videos of a batch in the span of its call', async () => {
    const source = createTracing()?.withCallSpans(async () => 'numbers', statsEndpoint, KEYAPI);
    expect(await source?.(['7301', '7302'], createCall())).toBe('numbers');
    expect(spans('upstream call')).toMatchObject([
      { attributes: { 'trending.endpoint': 'videoAnalytics', 'trending.itemIds': '7301,7302' } },
    ]);
  });

  it('assigns calls to the right operations when their pages wait in one queue', async () => {
    app = await startEmulatedApp({}, { KEYAPI_CONCURRENCY: '1' });
    const release = app.holdUpstream();
    const regions = ['US', 'GB', 'DE', 'FR'];
    const query = (region: string) =>
      app.query(`query ${region} { trendingVideos(region: "${region}") { totalCount } }`);
    const results = Promise.all(regions.map(query));
    await app.seeRequests(1);
    await settle();
    release();
    await results;
    for (const call of spans('upstream call')) {
      const region = String(call.attributes['trending.chart']).slice(0, 2);
      expect(nameOf(parentOf(parentOf(call)))).toBe(region);
    }
    expect(spans('upstream call')).toHaveLength(4);
  });

  it('puts a call below the operation that pays for it, and shows that another operation waits for it', async () => {
    app = await startEmulatedApp();
    const release = app.holdUpstream();
    const results = Promise.all([
      app.query('query A { trendingVideos { totalCount } }'),
      app.query('query B { trendingVideos { totalCount } }'),
    ]);
    await app.seeRequests(1);
    await settle();
    release();
    await results;
    const pages = spans('page');
    const [fetched, shared] = ['fetched', 'shared'].map((origin) =>
      pages.find(({ attributes }) => attributes['trending.origin'] === origin),
    );
    expect(nameOf(parentOf(fetched))).toBe('A');
    expect(nameOf(parentOf(shared))).toBe('B');
    expect(spans('upstream call').map(parentOf)).toEqual([fetched]);
  });

  it('records errors by their codes only', async () => {
    app = await startEmulatedApp({ credits: 0 });
    await app.query('query Poor { trendingVideos { totalCount } }');
    const failed = { code: SpanStatusCode.ERROR, message: 'UPSTREAM_QUOTA_EXCEEDED' };
    expect(spans().map(({ name, status }) => [name, status])).toEqual([
      ['upstream call', failed],
      ['page', failed],
      ['query', failed],
    ]);
    expect(spans('upstream call')[0]?.attributes).toMatchObject({
      'http.response.status_code': 402,
      'error.type': 'UPSTREAM_QUOTA_EXCEEDED',
      'trending.credits': 2,
    });
  });

  it('omits the name of an operation when it is too long', async () => {
    app = await startEmulatedApp();
    await app.query(`query ${'n'.repeat(129)} { __typename }`);
    expect(spans().map(({ name, attributes }) => [name, attributes['graphql.operation.name']])).toEqual([
      ['query', undefined],
    ]);
  });

  it('records a cached response as an operation without pages and calls', async () => {
    app = await startEmulatedApp();
    await app.query('query Again { trendingVideos { totalCount } }');
    exporter.reset();
    await app.query('query Again { trendingVideos { totalCount } }');
    expect(spans()).toMatchObject([
      {
        name: 'query',
        attributes: {
          'graphql.operation.name': 'Again',
          'graphql.operation.type': 'query',
          'trending.origin': 'kept',
        },
      },
    ]);
  });

  it('links the call of a refresh to the operation that caused it, and gives it no parent', async () => {
    const clock = createTestClock();
    app = await startEmulatedApp({}, {}, { clock, random: () => 0 });
    await app.query('{ trendingVideos { totalCount } }');
    clock.advance(2 * 3_600_000);
    exporter.reset();
    await app.query('{ trendingVideos { totalCount } }');
    while (spans('upstream call').length === 0) await settle();
    const [operation] = spans('query');
    const [call] = spans('upstream call');
    expect(call?.parentSpanContext).toBeUndefined();
    expect(call?.links.map((link) => link.context.spanId)).toEqual([operation?.spanContext().spanId]);
  });

  it('continues the trace of the request, and sends no trace headers to KeyAPI', async () => {
    const headers: string[] = [];
    const upstream = await startUpstream((request, response) => {
      headers.push(...Object.keys(request.headers));
      reply(makeSuccess())(request, response);
    });
    const { server, close } = await startApp(upstream.url);
    const payload = { query: '{ trendingVideos { totalCount } }' };
    await server.inject({ method: 'POST', url: '/graphql', headers: { traceparent }, payload });
    await close();
    await upstream.close();
    expect(spans('query')[0]?.parentSpanContext).toMatchObject({ traceId: TRACE_ID, isRemote: true });
    expect(headers.sort()).toEqual(['accept', 'authorization', 'connection', 'host']);
  });

  it('describes an operation alike however it was executed', async () => {
    app = await startEmulatedApp({}, { RESPONSE_CACHE: 'false' }, { prepareFrom: 3 });
    for (let times = 0; times < 4; times++) await app.query('query Same { trendingVideos { totalCount } }');
    const described = spans('query').map(({ attributes }) => [
      attributes['graphql.operation.type'],
      attributes['graphql.operation.name'],
    ]);
    expect(described).toEqual(Array.from({ length: 4 }, () => ['query', 'Same']));
  });

  it.each(['{ nothing', 'query A { __typename } query B { __typename }'])(
    'does not name a type for %s, of which nothing is executed',
    async (query) => {
      app = await startEmulatedApp();
      await app.query(query);
      expect(spans()).toMatchObject([{ name: 'GraphQL Operation', status: { code: SpanStatusCode.ERROR } }]);
      expect(spans()[0]?.attributes).not.toHaveProperty(['graphql.operation.type']);
    },
  );

  it('describes where a call goes, but not its URL: the settings may have a secret in it', async () => {
    const source = createTracing()?.withCallSpans(
      async () => 'page',
      pageEndpoint,
      new URL('https://user:secret@keyapi.test/secret'),
    );
    await source?.(
      { chart: { region: 'US', period: 7, orderBy: TrendingOrder.VIEWS }, number: 1 },
      createCall(),
    );
    const [call] = spans('upstream call');
    expect(call?.attributes).toMatchObject({ 'server.address': 'keyapi.test', 'server.port': 443 });
    expect(JSON.stringify(call?.attributes)).not.toContain('secret');
  });

  it.each([
    ['http://[::1]:4010', '::1', 4010],
    ['http://keyapi.test', 'keyapi.test', 80],
  ])('knows the address and port of %s', async (url, address, port) => {
    await createTracing()?.withCallSpans(
      async () => 'numbers',
      statsEndpoint,
      new URL(url),
    )(['7301'], createCall());
    expect(spans('upstream call')).toMatchObject([
      { attributes: { 'server.address': address, 'server.port': port } },
    ]);
  });

  it('lets nobody create a span or write trace headers for a call', async () => {
    const headers: Record<string, string> = {};
    const source = createTracing()?.withCallSpans(
      async () => {
        const baggage = propagation.createBaggage({ user: { value: 'somebody' } });
        propagation.inject(propagation.setBaggage(context.active(), baggage), headers);
        trace.getTracer('HTTP client').startSpan('GET').end();
        return isTracingSuppressed(context.active());
      },
      statsEndpoint,
      KEYAPI,
    );
    expect(await source?.(['7301'], createCall())).toBe(true);
    expect(headers).toEqual({});
    expect(spans().map(({ name }) => name)).toEqual(['upstream call']);
  });

  it.each(['/graphql', '/readyz', '/metrics'])(
    'gives the route %s to the span of the HTTP server',
    async (url) => {
      app = await startEmulatedApp();
      const span = trace.getTracer('HTTP server').startSpan('GET');
      const metadata: RPCMetadata = { type: RPCType.HTTP, span };
      await context.with(setRPCMetadata(trace.setSpan(context.active(), span), metadata), async () => {
        await app.server.inject(`${url}?query={__typename}`);
      });
      expect(metadata.route).toBe(url);
    },
  );

  it('gives no route to the span of a request that has none', async () => {
    app = await startEmulatedApp();
    const metadata: RPCMetadata = {
      type: RPCType.HTTP,
      span: trace.getTracer('HTTP server').startSpan('GET'),
    };
    await context.with(setRPCMetadata(context.active(), metadata), async () => {
      await app.server.inject('/nothing');
    });
    expect(metadata).not.toHaveProperty('route');
  });

  it("logs an operation with its span's trace, not with that of a traceparent that was not continued", async () => {
    const { log, lines } = createMemoryLog();
    app = await startEmulatedApp({}, {}, { log });
    const payload = { query: 'query Logged { __typename }' };
    await trace.getTracer('HTTP server').startActiveSpan('POST', async (span) => {
      await app.server.inject({ method: 'POST', url: '/graphql', headers: { traceparent }, payload });
      span.end();
    });
    const [operation] = spans('query');
    const { traceId, spanId } = operation?.spanContext() ?? {};
    expect(traceId).not.toBe(TRACE_ID);
    expect(lines.filter(({ msg }) => msg === 'Operation')).toMatchObject([{ traceId, spanId }]);
  });

  it('logs the trace of a request that the HTTP server ignores by its traceparent alone', async () => {
    const { log, lines } = createMemoryLog();
    app = await startEmulatedApp({}, {}, { log });
    const payload = { query: '{ __typename }' };
    await context.with(suppressTracing(context.active()), async () => {
      await app.server.inject({ method: 'POST', url: '/graphql', headers: { traceparent }, payload });
      await app.server.inject({ method: 'POST', url: '/graphql', payload: { query: '{ __typename  }' } });
    });
    const [first, second] = lines.filter(({ msg }) => msg === 'Operation');
    expect(first).toMatchObject({ traceId: TRACE_ID });
    expect(first).not.toHaveProperty('spanId');
    expect(second).not.toHaveProperty('traceId');
    expect(spans()).toEqual([]);
  });

  it('is the child of the active span, and not a second server', async () => {
    app = await startEmulatedApp();
    await trace.getTracer('HTTP server').startActiveSpan('POST', async (span) => {
      await app.query('{ __typename }');
      span.end();
    });
    const [operation] = spans('query');
    expect(operation).toMatchObject({ kind: SpanKind.INTERNAL });
    expect(parentOf(operation)?.name).toBe('POST');
  });
});
