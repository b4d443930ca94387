import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ApiError } from '../../src/domain/errors.ts';
import type { Page, PageKey } from '../../src/domain/page.ts';
import type { Source } from '../../src/domain/source.ts';
import { createKeyapiClient, type KeyapiClient } from '../../src/keyapi/client.ts';
import { trendingVideos } from '../../src/keyapi/endpoints/trendingVideos.ts';
import type { KeyapiEvent } from '../../src/keyapi/events.ts';
import { createCall } from '../support/cache.ts';
import { US_VIEWS } from '../support/charts.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { makeLate } from '../support/lateResponse.ts';
import { until } from '../support/until.ts';
import {
  type Handler,
  makeRow,
  makeSuccess,
  reply,
  startUpstream,
  type Upstream,
} from '../support/upstream.ts';

const TIMEOUT_MS = 300;
const NOW = Date.parse('Sun, 22 Nov 2026 10:00:00 GMT');

let upstream: Upstream;
let clock: TestClock;
let client: KeyapiClient;
let source: Source<PageKey, Page>;
let events: KeyapiEvent[];
let requests: number;

async function start(handler: Handler, { basePath = '/' } = {}): Promise<void> {
  events = [];
  requests = 0;
  clock = createTestClock(NOW);
  upstream = await startUpstream(handler);
  client = createClient(new URL(basePath, upstream.url));
  source = client.source(trendingVideos);
}

function createClient(baseUrl: URL): KeyapiClient {
  return createKeyapiClient({
    baseUrl,
    proxy: undefined,
    token: 'sk-secret',
    timeoutMs: TIMEOUT_MS,
    connections: 4,
    clock,
    onEvent: (event) => void events.push(event),
  });
}

function fetchPage(number = 1): Promise<Page> {
  return source({ chart: US_VIEWS, number }, createCall({ onSent: () => requests++ }));
}

async function fetchError(): Promise<ApiError> {
  const error: unknown = await fetchPage().then(
    () => 'no error',
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApiError)) throw new Error(`expected an ApiError, but got: ${String(error)}`);
  return error;
}

/** Responds like `handler`, but too late: the deadline expires first. */
function late(handler: Handler): Handler {
  return (request, response) => makeLate(handler, clock, TIMEOUT_MS)(request, response);
}

const silence = late(() => undefined);

/** Sends the head of a response, whose body never arrives. */
function headOnly(status: number): Handler {
  return late((_request, response) => response.writeHead(status, { 'content-length': '100' }).flushHeaders());
}

afterEach(async () => {
  await client.close();
  await upstream.close();
});

describe('client', () => {
  it('requests a page of 20 with the bearer token', async () => {
    const headers: unknown[] = [];
    await start((request, response) => {
      headers.push(request.headers.authorization);
      reply(makeSuccess(undefined, { has_more: true, limit: 20, page: 3, total_count: 500 }))(
        request,
        response,
      );
    });
    const page = await fetchPage(3);
    expect(upstream.requests).toEqual([
      '/v1/tiktok/trending/videos?page=3&period=7&limit=20&region=US&order_by=vv',
    ]);
    expect(headers).toEqual(['Bearer sk-secret']);
    expect(page).toMatchObject({ number: 3, pageSize: 20, hasMore: true, totalCount: 500, fetchedAt: NOW });
    expect(page.rows).toMatchObject([{ itemId: '7587114666132868383' }]);
    expect(requests).toBe(1);
  });

  it('keeps the path of the base URL', async () => {
    await start(reply(makeSuccess()), { basePath: '/proxy/keyapi/' });
    await fetchPage();
    expect(upstream.requests).toEqual([
      expect.stringMatching(/^\/proxy\/keyapi\/v1\/tiktok\/trending\/videos\?/),
    ]);
  });

  it('emits an event for each call, without the token', async () => {
    await start(reply(makeSuccess()));
    await fetchPage();
    expect(events).toEqual([
      {
        type: 'upstreamCall',
        endpoint: 'trendingVideos',
        key: { chart: 'US:7:VIEWS', page: 1 },
        background: false,
        outcome: 'ok',
        status: 200,
        durationMs: expect.any(Number),
        credits: 2,
        upstreamRequestId: 'd78497da-6b4e-4da3-b15e-da48fca8d5af',
        detail: undefined,
      },
    ]);
    expect(JSON.stringify(events)).not.toContain('sk-secret');
  });

  it('emits events for dropped rows, and one for each unknown field', async () => {
    const rows = [null, makeRow('1', { play_count: 7 }), {}, makeRow('2', { play_count: 8 })];
    await start(reply(makeSuccess(rows)));
    const page = await fetchPage();
    await fetchPage();
    expect(page.rows).toMatchObject([null, { itemId: '1' }, null, { itemId: '2' }]);
    expect(events.filter(({ type }) => type === 'rowsDropped')).toMatchObject([{ count: 2 }, { count: 2 }]);
    expect(events.filter(({ type }) => type === 'unknownField')).toEqual([
      { type: 'unknownField', endpoint: 'trendingVideos', field: 'play_count' },
    ]);
  });

  it('uses a smaller page size that upstream applied, and ignores rows beyond it', async () => {
    const rows = Array.from({ length: 30 }, (_, index) => makeRow(String(index + 1)));
    await start(reply(makeSuccess(rows, { has_more: true, limit: 10, page: 1, total_count: 500 })));
    const page = await fetchPage();
    expect(page).toMatchObject({ pageSize: 10 });
    expect(page.rows).toHaveLength(10);
  });

  it('never uses a larger page size than requested', async () => {
    await start(reply(makeSuccess(undefined, { has_more: true, limit: 50, page: 1, total_count: 500 })));
    expect(await fetchPage()).toMatchObject({ pageSize: 20 });
  });

  it('accepts numbers sent as text, and unknown fields', async () => {
    const pagination = { has_more: false, limit: '20', page: '1', total_count: '1', next: null };
    await start(reply({ ...makeSuccess(undefined, pagination), code: '0', more: {} }));
    expect(await fetchPage()).toMatchObject({ pageSize: 20, totalCount: 1, hasMore: false });
  });

  it.each<[string, Handler, Partial<ApiError>]>([
    [
      'Retry-After in seconds',
      reply({ code: 429, data: null, message: 'qps limit exceeded' }, 429, { 'retry-after': '7' }),
      { code: 'UPSTREAM_RATE_LIMITED', retryAfterSeconds: 7 },
    ],
    [
      'Retry-After as a date',
      // By upstream's clock, which is ahead of ours.
      reply({}, 429, {
        date: 'Sun, 22 Nov 2026 11:00:00 GMT',
        'retry-after': 'Sun, 22 Nov 2026 11:00:30 GMT',
      }),
      { code: 'UPSTREAM_RATE_LIMITED', retryAfterSeconds: 30 },
    ],
    [
      'Retry-After as a date in a response without one',
      (_request, response) => {
        response.sendDate = false;
        response.writeHead(429, { 'retry-after': 'Sun, 22 Nov 2026 10:00:30 GMT' }).end('{}');
      },
      { code: 'UPSTREAM_RATE_LIMITED', retryAfterSeconds: 30 },
    ],
    [
      'Retry-After of a 503',
      reply('<html>', 503, { 'retry-after': '7' }),
      { code: 'UPSTREAM_ERROR', retryAfterSeconds: 7 },
    ],
    [
      'Retry-After of a 503 with a code of its own',
      reply({ code: 1234, data: null }, 503, { 'retry-after': '7' }),
      { code: 'UPSTREAM_BAD_RESPONSE', retryAfterSeconds: 7 },
    ],
    [
      'Retry-After of a redirect',
      reply('', 302, { 'retry-after': '7' }),
      { code: 'UPSTREAM_BAD_RESPONSE', retryAfterSeconds: 7 },
    ],
    [
      'an unreadable Retry-After of a 503',
      reply('', 503, { 'retry-after': 'soon' }),
      { code: 'UPSTREAM_ERROR', retryAfterSeconds: undefined },
    ],
    ...[400, 401, 402, 403, 404, 418].map((status): [string, Handler, Partial<ApiError>] => [
      `Retry-After of a ${status}, which is ignored`,
      reply({ code: status, data: null }, status, { 'retry-after': '7' }),
      { upstream: { status, code: status, requestId: null }, retryAfterSeconds: undefined },
    ]),
    ['429 without Retry-After', reply({}, 429), { code: 'UPSTREAM_RATE_LIMITED', retryAfterSeconds: 60 }],
    [
      'an error code under HTTP 200',
      reply({ code: 402, data: null, message: 'apiKey quota is not enough' }),
      {
        code: 'UPSTREAM_QUOTA_EXCEEDED',
        upstream: { status: 200, code: 402, requestId: null },
        detail: 'apiKey quota is not enough',
      },
    ],
    [
      'an error code that differs from the status',
      reply({ code: 402, data: null }, 401),
      { code: 'UPSTREAM_QUOTA_EXCEEDED' },
    ],
    ['an unknown code', reply({ code: 1234 }), { code: 'UPSTREAM_BAD_RESPONSE' }],
    ['an error status under code 0', reply(makeSuccess(), 503), { code: 'UPSTREAM_ERROR' }],
    [
      'HTML with an error status',
      reply('<html>', 502),
      { code: 'UPSTREAM_ERROR', upstream: { status: 502, code: null, requestId: null } },
    ],
    ['HTML', reply('<html>'), { code: 'UPSTREAM_BAD_RESPONSE' }],
    ['an empty body', reply(''), { code: 'UPSTREAM_BAD_RESPONSE' }],
    ['no content', reply('', 204), { code: 'UPSTREAM_BAD_RESPONSE' }],
    ['truncated JSON', reply('{"code":0,"data":{"vid'), { code: 'UPSTREAM_BAD_RESPONSE' }],
    ['bytes that are not UTF-8', reply(Buffer.from([0x22, 0xff, 0x22])), { code: 'UPSTREAM_BAD_RESPONSE' }],
    [
      'compression that was not requested',
      reply(gzipSync('{}'), 200, { 'content-encoding': 'gzip' }),
      { code: 'UPSTREAM_BAD_RESPONSE' },
    ],
    [
      'JSON nested 50,000 deep',
      reply('['.repeat(50_000) + ']'.repeat(50_000)),
      { code: 'UPSTREAM_BAD_RESPONSE' },
    ],
    ['null', reply('null'), { code: 'UPSTREAM_BAD_RESPONSE' }],
    ['no data', reply({ code: 0, data: null }), { code: 'UPSTREAM_BAD_RESPONSE' }],
    ['a list instead of data', reply({ code: 0, data: [] }), { code: 'UPSTREAM_BAD_RESPONSE' }],
    ['no pagination', reply({ code: 0, data: { videos: [] } }), { code: 'UPSTREAM_BAD_RESPONSE' }],
    ['videos that are not a list', reply(makeSuccess({})), { code: 'UPSTREAM_BAD_RESPONSE' }],
    [
      'a limit of 0',
      reply(makeSuccess([], { has_more: false, limit: 0, page: 1, total_count: 0 })),
      { code: 'UPSTREAM_BAD_RESPONSE' },
    ],
    [
      'a negative total',
      reply(makeSuccess([], { has_more: false, limit: 20, page: 1, total_count: -1 })),
      { code: 'UPSTREAM_BAD_RESPONSE' },
    ],
    [
      'a different page than requested',
      reply(makeSuccess([], { has_more: false, limit: 20, page: 2, total_count: 500 })),
      { code: 'UPSTREAM_BAD_RESPONSE', detail: 'pagination.page: expected 1, but got: 2' },
    ],
    [
      'more ranks than a chart can have',
      reply(makeSuccess([], { has_more: false, limit: 20, page: 1, total_count: 1_000_000 })),
      { code: 'UPSTREAM_BAD_RESPONSE' },
    ],
    ['an upgrade that was not requested', reply('', 101), { code: 'UPSTREAM_BAD_RESPONSE' }],
    [
      'a failure with a truncated body',
      (_request, response) => {
        response
          .writeHead(429, { 'content-length': '100', 'retry-after': '7' })
          .write('{', () => response.destroy());
      },
      { code: 'UPSTREAM_RATE_LIMITED', retryAfterSeconds: 7 },
    ],
    [
      'a failure whose body never arrives',
      headOnly(402),
      { code: 'UPSTREAM_QUOTA_EXCEEDED', upstream: { status: 402, code: null, requestId: null } },
    ],
    [
      'a redirect',
      reply('', 302, { location: 'http://127.0.0.1:9/elsewhere' }),
      { code: 'UPSTREAM_BAD_RESPONSE' },
    ],
    [
      'a response that is not HTTP',
      (_request, response) => void response.socket?.end('what?\r\n\r\n'),
      { code: 'UPSTREAM_BAD_RESPONSE' },
    ],
    [
      'a closed connection',
      (request) => void request.socket.destroy(),
      { code: 'UPSTREAM_UNAVAILABLE', upstream: undefined },
    ],
    [
      'a connection that is closed during the headers',
      (_request, response) => {
        response.socket?.write('HTTP/1.1 200 OK\r\nconte', () => response.socket?.destroy());
      },
      { code: 'UPSTREAM_UNAVAILABLE' },
    ],
    [
      'a connection that is closed during the body',
      (_request, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('{', () => response.destroy());
      },
      { code: 'UPSTREAM_BAD_RESPONSE' },
    ],
    ['no response', silence, { code: 'UPSTREAM_TIMEOUT' }],
    ['headers without a body', headOnly(200), { code: 'UPSTREAM_TIMEOUT' }],
  ])('throws the right error for %s', async (_name, handler, expected) => {
    await start(handler);
    expect(await fetchError()).toMatchObject(expected);
    if (expected.code) expect(events).toMatchObject([{ type: 'upstreamCall', outcome: expected.code }]);
    expect(upstream.requests).toHaveLength(1);
    expect(requests).toBe(1);
  });

  it('does not wait for a response that is sent byte by byte', async () => {
    await start((_request, response) => {
      let drips = 0;
      const drip = (): void => {
        if (++drips === 10) clock.expireDeadlines(TIMEOUT_MS);
        if (!response.destroyed) response.write(' ', () => setImmediate(drip));
      };
      response.writeHead(200);
      drip();
    });
    expect(await fetchError()).toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
  });

  it('aborts a response of more than 2 MiB', async () => {
    let sent = 0;
    await start((_request, response) => {
      const send = (): void => {
        while (!response.destroyed && sent < 200 * 2 ** 20) {
          sent += 65_536;
          if (!response.write(Buffer.alloc(65_536, ' '))) {
            response.once('drain', send);
            return;
          }
        }
      };
      response.writeHead(200);
      send();
    });
    expect(await fetchError()).toMatchObject({ code: 'UPSTREAM_BAD_RESPONSE' });
    expect(sent).toBeLessThan(50 * 2 ** 20);
  });

  it.each<[string, (port: string) => string]>([
    ['a refused connection', () => 'http://127.0.0.1:9'],
    ['a name that DNS does not know', () => 'http://keyapi.invalid'],
    ['a failed TLS handshake', (port) => `https://127.0.0.1:${port}`],
  ])('reports %s as a failure that was not sent, and costs nothing', async (_name, toUrl) => {
    await start(reply(makeSuccess()));
    const unconnected = createClient(new URL(toUrl(upstream.url.port)));
    const call = createCall({ onSent: () => requests++ });
    await expect(
      unconnected.source(trendingVideos)({ chart: US_VIEWS, number: 1 }, call),
    ).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      upstream: undefined,
      wasSent: false,
      hadNoConnection: true,
      isCallFailure: true,
      allowsSecondAttempt: true,
    });
    expect(events).toEqual([
      {
        type: 'connectionFailed',
        endpoint: 'trendingVideos',
        key: { chart: 'US:7:VIEWS', page: 1 },
        background: false,
        code: 'UPSTREAM_UNAVAILABLE',
        durationMs: expect.any(Number),
        detail: expect.any(String),
      },
    ]);
    expect({ requests, received: upstream.requests }).toEqual({ requests: 0, received: [] });
    await unconnected.close();
  });

  it('allows a retry after a refused connection, one that breaks before any response, and a server error', async () => {
    const allowsSecondAttempt = async (): Promise<boolean> => (await fetchError()).allowsSecondAttempt;
    let behave: Handler = reply({ code: 500, data: null }, 500);
    await start((request, response) => behave(request, response));
    expect(await allowsSecondAttempt()).toBe(true);
    behave = reply(makeSuccess());
    await fetchPage();
    // The connection has been used before.
    behave = ({ socket }) => void socket.resetAndDestroy();
    expect(await allowsSecondAttempt()).toBe(true);
    for (const half of ['HTTP/1.1 200 OK\r\ncontent-', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{']) {
      behave = ({ socket }) => void socket.write(half, () => socket.resetAndDestroy());
      expect(await allowsSecondAttempt()).toBe(false);
    }
    behave = silence;
    expect(await allowsSecondAttempt()).toBe(false);
    behave = reply('<html>');
    expect(await allowsSecondAttempt()).toBe(false);
    await upstream.close();
    expect(await allowsSecondAttempt()).toBe(true);
    await client.close();
    const eventsBefore = events.length;
    expect(await fetchError()).toMatchObject({ allowsSecondAttempt: false, isCallFailure: false });
    expect(events).toHaveLength(eventsBefore);
  });

  it('counts no request that gets no connection in time', async () => {
    const sockets: Socket[] = [];
    const slow = createServer({ pauseOnConnect: true }, (socket) => void sockets.push(socket)).listen(
      0,
      '127.0.0.1',
    );
    await once(slow, 'listening');
    await start(reply(''));
    const stuck = createClient(new URL(`https://127.0.0.1:${(slow.address() as AddressInfo).port}`));
    let requestsSeen = 0;
    const call = stuck
      .source(trendingVideos)({ chart: US_VIEWS, number: 1 }, createCall({ onSent: () => requestsSeen++ }))
      .catch((error: unknown) => error);
    await until(() => sockets.length > 0);
    clock.expireDeadlines(TIMEOUT_MS);
    expect(await call).toMatchObject({ code: 'UPSTREAM_TIMEOUT', wasSent: false, hadNoConnection: true });
    expect(requestsSeen).toBe(0);
    await stuck.close();
    for (const socket of sockets) socket.destroy();
    slow.close();
  });

  it('reports a paid call whose payload cannot be read for any reason', async () => {
    await start(reply(makeSuccess()));
    const broken: typeof trendingVideos = {
      ...trendingVideos,
      toValue: () => {
        throw new RangeError('a defect');
      },
    };
    await expect(client.source(broken)({ chart: US_VIEWS, number: 1 }, createCall())).rejects.toMatchObject({
      code: 'UPSTREAM_BAD_RESPONSE',
      wasSent: true,
    });
    expect(events).toMatchObject([
      { type: 'upstreamCall', outcome: 'UPSTREAM_BAD_RESPONSE', status: 200, detail: 'a defect' },
    ]);
  });

  it('does not send a request that was cancelled', async () => {
    await start(reply(makeSuccess()));
    const signal = AbortSignal.abort(new ApiError('UPSTREAM_QUOTA_EXCEEDED'));
    await expect(source({ chart: US_VIEWS, number: 1 }, createCall({ signal }))).rejects.toMatchObject({
      code: 'UPSTREAM_QUOTA_EXCEEDED',
      wasSent: false,
    });
    expect(upstream.requests).toEqual([]);
    expect(events).toEqual([]);
  });

  it('does not send a request that is cancelled while its connection opens', async () => {
    await start(reply(makeSuccess()));
    let checks = 0;
    const throwIfAborted = (): void => {
      if (++checks > 1) throw new ApiError('UPSTREAM_QUOTA_EXCEEDED');
    };
    const call = createCall({ signal: { throwIfAborted } as AbortSignal, onSent: () => requests++ });
    const fetching = source({ chart: US_VIEWS, number: 1 }, call);
    await expect(fetching).rejects.toMatchObject({ code: 'UPSTREAM_QUOTA_EXCEEDED', wasSent: false });
    expect({ checks, requests, sent: upstream.requests, events }).toEqual({
      checks: 2,
      requests: 0,
      sent: [],
      events: [],
    });
    expect(await fetchPage()).toMatchObject({ number: 1 });
  });

  it('completes a request that is cancelled after it was sent', async () => {
    const controller = new AbortController();
    await start((request, response) => {
      controller.abort(new ApiError('UPSTREAM_QUOTA_EXCEEDED'));
      reply(makeSuccess())(request, response);
    });
    const call = createCall({ signal: controller.signal });
    expect(await source({ chart: US_VIEWS, number: 1 }, call)).toMatchObject({
      number: 1,
    });
  });

  it('gives null for a cover that had expired when it arrived', async () => {
    await start(
      reply(makeSuccess([makeRow('1'), makeRow('2', { cover: 'https://a.example/?x-expires=9999999999' })])),
    );
    const { rows } = await fetchPage();
    expect(rows).toMatchObject([{ cover: null }, { cover: 'https://a.example/?x-expires=9999999999' }]);
  });

  it('does not wait for a connection that is never established', async () => {
    // TCP connects, but the TLS handshake never completes.
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    await start(reply(''));
    const { port } = silent.address() as AddressInfo;
    const stuck = createClient(new URL(`https://127.0.0.1:${port}`));
    const call = stuck.source(trendingVideos)({ chart: US_VIEWS, number: 1 }, createCall());
    void until(() => sockets.length > 0).then(() => clock.expireDeadlines(TIMEOUT_MS));
    await expect(call).rejects.toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
    await stuck.close();
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  it('never repeats the token, wherever upstream echoes it', async () => {
    const echo = { code: 500, data: null, message: 'no such key: sk-secret', requestId: 'req-sk-secret' };
    await start(reply(echo, 500));
    const error = await fetchError();
    expect(error).toMatchObject({ detail: 'no such key: [token]', upstream: { requestId: null } });
    expect(JSON.stringify([error, events])).not.toContain('sk-secret');
    await upstream.close();

    await client.close();
    await start(reply({ code: 500, data: null, message: `${'x'.repeat(495)}sk-secret` }, 500));
    expect((await fetchError()).detail).toBe(`${'x'.repeat(495)}[toke`);
    await upstream.close();

    await client.close();
    await start(reply(makeSuccess([makeRow('1', { 'sk-secret': 1 })])));
    await fetchPage();
    expect(events).toContainEqual({ type: 'unknownField', endpoint: 'trendingVideos', field: '[token]' });
  });

  it('aborts calls in flight when it is closed', async () => {
    await start(() => void client.close());
    const page = fetchPage();
    await expect(page).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
  });

  it('shows a request id only when it looks like one', async () => {
    await start(reply({ code: 500, data: null, requestId: 'Bearer sk-secret\n' }, 500));
    expect(await fetchError()).toMatchObject({ upstream: { status: 500, code: 500, requestId: null } });
  });
});
