import { once } from 'node:events';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiError } from '../../src/domain/errors.ts';
import type { Page } from '../../src/domain/page.ts';
import { createKeyapiClient, type KeyapiClient } from '../../src/keyapi/client.ts';
import { trendingVideos } from '../../src/keyapi/endpoints/trendingVideos.ts';
import type { KeyapiEvent } from '../../src/keyapi/events.ts';
import { CONNECT_TIMEOUT_MS } from '../../src/keyapi/route.ts';
import { createCall } from '../support/cache.ts';
import { type Certificate, makeCertificate, trust } from '../support/certificate.ts';
import { US_VIEWS } from '../support/charts.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { findFreePort } from '../support/freePort.ts';
import { type HttpProxy, refuse, startHttpProxy } from '../support/httpProxy.ts';
import { until } from '../support/until.ts';
import { type Handler, makeSuccess, reply } from '../support/upstream.ts';
import { describeWith } from '../system/support/describeWith.ts';

/** Only the proxy knows where it is. */
const HOST = 'keyapi.test';
const TIMEOUT_MS = 300;
const TOKEN = 'sk-secret';
const USER = 'proxy-user';
const PASSWORD = 'p@ss:word-never-shown';
const CREDENTIALS = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;

let clock: TestClock;
let events: KeyapiEvent[];
let sent: number;
let cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
  cleanups = [];
});

/** Runs after the test, in reverse order. */
function afterTest(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

async function startProxy(options: Parameters<typeof startHttpProxy>[0]): Promise<HttpProxy> {
  const proxy = await startHttpProxy(options);
  afterTest(() => proxy.close());
  return proxy;
}

function createClient(baseUrl: string, proxy: URL, connections = 2): KeyapiClient {
  events = [];
  sent = 0;
  clock = createTestClock();
  const client = createKeyapiClient({
    baseUrl: new URL(baseUrl),
    proxy,
    token: TOKEN,
    timeoutMs: TIMEOUT_MS,
    connections,
    clock,
    onEvent: (event) => void events.push(event),
  });
  afterTest(() => client.close());
  return client;
}

function withCredentials(url: URL): URL {
  const copy = new URL(url);
  copy.username = USER;
  copy.password = encodeURIComponent(PASSWORD);
  return copy;
}

function fetchPage(client: KeyapiClient, number = 1): Promise<Page> {
  return client.source(trendingVideos)({ chart: US_VIEWS, number }, createCall({ onSent: () => sent++ }));
}

async function fetchError(client: KeyapiClient): Promise<ApiError> {
  const error: unknown = await fetchPage(client).catch((thrown: unknown) => thrown);
  if (!(error instanceof ApiError)) throw new Error(`expected an ApiError, but got: ${String(error)}`);
  return error;
}

/** The call failed before the request was sent, for this reason, and cost nothing. */
async function expectNotSent(client: KeyapiClient, detail: RegExp): Promise<void> {
  expect(await fetchError(client)).toMatchObject({
    code: 'UPSTREAM_UNAVAILABLE',
    upstream: undefined,
    wasSent: false,
    hadNoConnection: true,
    isCallFailure: true,
    allowsSecondAttempt: true,
    detail: expect.stringMatching(detail),
  });
  expect(events).toMatchObject([{ type: 'connectionFailed', code: 'UPSTREAM_UNAVAILABLE' }]);
  expect(JSON.stringify(events)).not.toMatch(/never-shown|proxy-user|sk-secret/);
  expect(sent).toBe(0);
}

/** Refuses in ways that are no HTTP response. */
const NO_RESPONSES: readonly (readonly [string, (socket: Duplex) => void, RegExp])[] = [
  [
    'closes the connection',
    (socket) => void socket.destroy(),
    /^ProxyError: proxy http:\S+: socket hang up$/,
  ],
  ['sends nonsense', (socket) => void socket.end('what?\r\n\r\n'), /^ProxyError: .*Parse Error/],
  [
    'sends a header that does not end',
    (socket) => void socket.end(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(100_000)}`),
    /^ProxyError: .*Parse Error: Header overflow$/,
  ],
];

describe('a proxy that opens no connection', () => {
  it.each([400, 403, 407, 502, 503, 302])(
    'that responds with %i is reported; nothing is sent',
    async (status) => {
      const proxy = await startProxy({ targetPort: 9, onConnect: refuse(status) });
      const client = createClient(`https://${HOST}`, withCredentials(proxy.url));
      const { host } = proxy.url;
      await expectNotSent(
        client,
        new RegExp(
          `^ProxyError: proxy http://${host}: expected HTTP 200 to CONNECT ${HOST}:443, but got: ${status}$`,
        ),
      );
      expect(proxy.connects).toHaveLength(1);
      await until(() => proxy.connections() === 0);
    },
  );

  it.each(NO_RESPONSES)('that %s is reported; nothing is sent', async (_name, respond, detail) => {
    const proxy = await startProxy({ targetPort: 9, onConnect: (_request, socket) => respond(socket) });
    await expectNotSent(createClient(`https://${HOST}`, withCredentials(proxy.url)), detail);
  });

  it.each([
    ['nothing listens', 'http:', 'https:', /^ProxyError: proxy http:\S+: connect ECONNREFUSED/],
    ['nothing listens, for http', 'http:', 'http:', /^ProxyError: proxy http:\S+: connect ECONNREFUSED/],
    ['there is no TLS', 'https:', 'https:', /^ProxyError: proxy https:\S+: .*/],
    ['there is no TLS, for http', 'https:', 'http:', /^ProxyError: proxy https:\S+: .*/],
  ])('because %s is reported; nothing is sent', async (name, scheme, base, detail) => {
    const proxy = await startProxy({ targetPort: 9 });
    const port = name.startsWith('nothing') ? await findFreePort() : proxy.url.port;
    const url = withCredentials(new URL(`${scheme}//127.0.0.1:${port}`));
    await expectNotSent(createClient(`${base}//${HOST}`, url), detail);
    expect([proxy.connects, proxy.forwarded]).toEqual([[], []]);
  });

  it('because DNS does not know it is reported; nothing is sent', async () => {
    const url = withCredentials(new URL('http://proxy.invalid:3128'));
    await expectNotSent(
      createClient(`https://${HOST}`, url),
      /^ProxyError: proxy http:\/\/proxy\.invalid:3128: getaddrinfo (ENOTFOUND|EAI_AGAIN) proxy\.invalid$/,
    );
  });

  it('in time is not waited for, and its connection ends', async () => {
    const proxy = await startProxy({ targetPort: 9, onConnect: () => undefined });
    const client = createClient(`https://${HOST}`, proxy.url);
    const error = fetchError(client);
    await until(() => proxy.connects.length > 0);
    clock.expireDeadlines(TIMEOUT_MS);
    expect(await error).toMatchObject({ code: 'UPSTREAM_TIMEOUT', wasSent: false, hadNoConnection: true });
    expect(sent).toBe(0);
    expect(proxy.connections()).toBe(1);
    clock.expireDeadlines(CONNECT_TIMEOUT_MS);
    await until(() => proxy.connections() === 0);
  });

  it('is given up when the client is closed', async () => {
    const proxy = await startProxy({ targetPort: 9, onConnect: () => undefined });
    const client = createClient(`https://${HOST}`, proxy.url);
    const error = fetchError(client);
    await until(() => proxy.connects.length > 0);
    await client.close();
    expect(await error).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', isCallFailure: false });
    await until(() => proxy.connections() === 0);
    expect([events, clock.deadlines()]).toEqual([[], []]);
  });

  it('leaves no connection that does not get as far as TLS when the client is closed', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    afterTest(() => silent.close());
    const proxy = await startProxy({ targetPort: (silent.address() as AddressInfo).port });
    const client = createClient(`https://${HOST}`, proxy.url);
    const error = fetchError(client);
    await until(() => sockets.some(({ bytesRead }) => bytesRead > 0));
    clock.expireDeadlines(TIMEOUT_MS);
    expect(await error).toMatchObject({ code: 'UPSTREAM_TIMEOUT', wasSent: false, hadNoConnection: true });
    await client.close();
    await until(() => proxy.connections() === 0);
  });
});

describe('a proxy for http', () => {
  async function start(handler: Handler, certificate?: Certificate) {
    const { createServer } = await import('node:http');
    const upstream = createServer(handler).listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    afterTest(() => {
      upstream.close();
      upstream.closeAllConnections();
    });
    const { port } = upstream.address() as AddressInfo;
    const proxy = await startProxy({ targetPort: port, ...(certificate && { certificate }) });
    return { proxy, client: createClient(`http://${HOST}:8080/v9/`, withCredentials(proxy.url), 1) };
  }

  it('gets whole requests, and its credentials', async () => {
    const received: unknown[] = [];
    const { proxy, client } = await start((request, response) => {
      received.push(request.url);
      reply(makeSuccess())(request, response);
    });
    await fetchPage(client);
    await fetchPage(client);
    const path = '/v9/v1/tiktok/trending/videos?page=1&period=7&limit=20&region=US&order_by=vv';
    const headers = {
      host: `${HOST}:8080`,
      accept: 'application/json',
      authorization: `Bearer ${TOKEN}`,
      connection: 'keep-alive',
      'proxy-authorization': CREDENTIALS,
    };
    expect(proxy.forwarded[0]).toEqual({ target: `http://${HOST}:8080${path}`, headers });
    expect([received, proxy.connects, proxy.connections(), sent]).toEqual([[path, path], [], 1, 2]);
  });

  it('may respond itself, after the request was sent', async () => {
    const { client } = await start(reply('<html>', 407));
    expect(await fetchError(client)).toMatchObject({
      code: 'UPSTREAM_BAD_RESPONSE',
      upstream: { status: 407 },
      wasSent: true,
    });
    expect(sent).toBe(1);
  });

  it('may break the connection before a byte of the response, or after it', async () => {
    let behave: Handler = ({ socket }) => void socket.destroy();
    const proxy = await startProxy({ targetPort: 9 });
    const { createServer } = await import('node:http');
    const breaking = createServer((request, response) => behave(request, response)).listen(0, '127.0.0.1');
    await once(breaking, 'listening');
    afterTest(() => breaking.close());
    const client = createClient(
      `http://${HOST}`,
      new URL(`http://127.0.0.1:${(breaking.address() as AddressInfo).port}`),
    );
    expect(await fetchError(client)).toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      wasSent: true,
      allowsSecondAttempt: true,
    });
    behave = ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\ncontent-', () => socket.destroy());
    expect(await fetchError(client)).toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      wasSent: true,
      allowsSecondAttempt: false,
    });
    expect(proxy.forwarded).toEqual([]);
  });
});

describeWith('openssl', 'a proxy for https', () => {
  let certificate: Certificate;
  let proxyCertificate: Certificate;

  beforeAll(() => {
    certificate = makeCertificate(HOST);
    proxyCertificate = makeCertificate('127.0.0.1');
  });

  /** Trusts both certificates for the duration of the test. */
  function trustBoth(): void {
    afterTest(trust(certificate));
    afterTest(trust(proxyCertificate));
  }

  /** Starts KeyAPI with a certificate for `HOST`, behind a proxy. */
  async function start(
    handler: Handler,
    options: { readonly isTls?: boolean; readonly connections?: number } = {},
  ) {
    const { isTls = false, connections = 1 } = options;
    const upstream = createTlsServer(certificate, handler).listen(0, '127.0.0.1');
    upstream.on('tlsClientError', () => undefined);
    await once(upstream, 'listening');
    afterTest(() => {
      upstream.close();
      upstream.closeAllConnections();
    });
    const { port } = upstream.address() as AddressInfo;
    const proxy = await startProxy({ targetPort: port, ...(isTls && { certificate: proxyCertificate }) });
    return { proxy, client: createClient(`https://${HOST}`, withCredentials(proxy.url), connections) };
  }

  it.each([false, true])(
    'connects, and sees neither token nor request (itself reached over TLS: %s)',
    async (isTls) => {
      trustBoth();
      const servernames: unknown[] = [];
      const { proxy, client } = await start(
        (request, response) => {
          const { servername } = request.socket as unknown as { servername: string };
          servernames.push([servername, request.headers.host, request.headers.authorization]);
          expect(request.headers).not.toHaveProperty('proxy-authorization');
          reply(makeSuccess())(request, response);
        },
        { isTls },
      );
      await fetchPage(client);
      await fetchPage(client);
      const seen = [HOST, HOST, `Bearer ${TOKEN}`];
      expect(servernames).toEqual([seen, seen]);
      const headers = { host: `${HOST}:443`, connection: 'keep-alive', 'proxy-authorization': CREDENTIALS };
      expect(proxy.connects).toEqual([{ destination: `${HOST}:443`, headers }]);
      expect([proxy.forwarded, sent, clock.deadlines()]).toEqual([[], 2, []]);
      await client.close();
      await until(() => proxy.connections() === 0);
    },
  );

  it('is asked for as many connections as are allowed, each of which has one request at a time', async () => {
    afterTest(trust(certificate));
    const inFlight = new Map<Socket, number>();
    const waiting: (() => void)[] = [];
    let most = 0;
    const { proxy, client } = await start(
      (request, response) => {
        const { socket } = request;
        inFlight.set(socket, (inFlight.get(socket) ?? 0) + 1);
        most = Math.max(most, ...inFlight.values());
        waiting.push(() => {
          inFlight.set(socket, (inFlight.get(socket) ?? 0) - 1);
          const page = Number(new URL(request.url ?? '', 'http://a').searchParams.get('page'));
          reply(makeSuccess([], { has_more: true, limit: 20, page, total_count: 500 }))(request, response);
        });
      },
      { connections: 2 },
    );
    const pages = [1, 2, 3, 4, 5].map((number) => fetchPage(client, number));
    for (let answered = 0; answered < 5; answered++) {
      await until(() => waiting.length > 0);
      expect(sent).toBeLessThanOrEqual(answered + 2);
      waiting.shift()?.();
    }
    expect((await Promise.all(pages)).map(({ number }) => number)).toEqual([1, 2, 3, 4, 5]);
    expect([most, proxy.connects.length, sent]).toEqual([1, 2, 5]);
  });

  it('cannot stand in for KeyAPI', async () => {
    const untrusted = await start(reply(makeSuccess()));
    await expectNotSent(untrusted.client, /self-signed certificate/);
    afterTest(trust(certificate));
    const { proxy } = await start(reply(makeSuccess()));
    await expectNotSent(
      createClient('https://other.test', proxy.url),
      /ERR_TLS_CERT_ALTNAME_INVALID|other\.test/,
    );
    expect(proxy.connects.map(({ destination }) => destination)).toEqual(['other.test:443']);
  });

  it('leads to a server that breaks the connection before a byte of the response, or after it', async () => {
    afterTest(trust(certificate));
    let behave: Handler = reply(makeSuccess());
    const { client } = await start((request, response) => behave(request, response), { connections: 1 });
    const breakAfter =
      (text: string): Handler =>
      ({ socket }) =>
        void (text === '' ? socket.destroy() : socket.write(text, () => socket.destroy()));
    const allows: boolean[] = [];
    for (const text of ['', 'HTTP/1.1 200 OK\r\ncontent-', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{']) {
      behave = breakAfter(text);
      allows.push((await fetchError(client)).allowsSecondAttempt);
      // On a connection that has been used before.
      behave = reply(makeSuccess());
      await fetchPage(client);
      behave = breakAfter(text);
      allows.push((await fetchError(client)).allowsSecondAttempt);
    }
    expect(allows).toEqual([true, true, false, false, false, false]);
  });

  it.each<[string, Handler, Partial<ApiError>]>([
    [
      'a redirect, which is not followed',
      reply('', 302, { location: `https://${HOST}/` }),
      { code: 'UPSTREAM_BAD_RESPONSE' },
    ],
    [
      '429',
      reply({ code: 429 }, 429, { 'retry-after': '7' }),
      { code: 'UPSTREAM_RATE_LIMITED', retryAfterSeconds: 7 },
    ],
    ['407, which is not that of the proxy', reply('', 407), { code: 'UPSTREAM_BAD_RESPONSE', wasSent: true }],
    ['more than 2 MiB', reply(Buffer.alloc(3 * 2 ** 20, ' ')), { code: 'UPSTREAM_BAD_RESPONSE' }],
    ['silence', () => clock.expireDeadlines(TIMEOUT_MS), { code: 'UPSTREAM_TIMEOUT', wasSent: true }],
  ])('leads to a server that responds with %s', async (_name, handler, expected) => {
    afterTest(trust(certificate));
    const requests: unknown[] = [];
    const { client } = await start((request, response) => {
      requests.push(request.url);
      handler(request, response);
    });
    expect(await fetchError(client)).toMatchObject(expected);
    expect([requests.length, sent]).toEqual([1, 1]);
    expect(events).toMatchObject([{ type: 'upstreamCall', outcome: expected.code }]);
  });

  it.each(['https', 'http'])('gets nothing if its certificate is for another name: %s', async (scheme) => {
    trustBoth();
    const proxy = await startProxy({ targetPort: 9, certificate });
    await expectNotSent(
      createClient(`${scheme}://${HOST}`, withCredentials(proxy.url)),
      /^ProxyError: .*IP: 127\.0\.0\.1 is not in the cert's list/,
    );
    expect([proxy.connects, proxy.forwarded]).toEqual([[], []]);
  });

  it('that is reached over TLS gets whole requests for http', async () => {
    trustBoth();
    const { createServer } = await import('node:http');
    const upstream = createServer(reply(makeSuccess())).listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    afterTest(() => {
      upstream.close();
      upstream.closeAllConnections();
    });
    const proxy = await startProxy({
      targetPort: (upstream.address() as AddressInfo).port,
      certificate: proxyCertificate,
    });
    await fetchPage(createClient(`http://${HOST}`, proxy.url));
    expect(proxy.forwarded).toMatchObject([{ target: expect.stringMatching(`^http://${HOST}/v1/`) }]);
  });
});
