import cors from '@fastify/cors';
import { afterEach, describe, expect, it } from '@jest/globals';
import Fastify, { type InjectOptions } from 'fastify';
import { createCors } from '../../../src/server/http/cors.ts';
import { type EmulatedApp, startEmulatedApp } from '../../support/app.ts';
import { type RawResponses, rawPost, sendRaw } from '../../support/rawHttp.ts';

const ALLOWED = 'https://a.example';
const KEY = '0123456789';
const JSON_TYPE = { 'content-type': 'application/json' };
const OPERATION: InjectOptions = { method: 'POST', url: '/graphql', payload: { query: '{ __typename }' } };
const LIMITS = { RATE_LIMIT_PER_MINUTE: '1', MAX_BODY_KB: '1', API_KEYS: KEY, CORS_ORIGINS: ALLOWED };

let app: EmulatedApp | undefined;

async function start(variables: Record<string, string>): Promise<EmulatedApp> {
  app = await startEmulatedApp({}, { NODE_ENV: 'production', ...variables });
  return app;
}

afterEach(async () => {
  await app?.close();
  app = undefined;
});

describe('every response', () => {
  it.each<[string, InjectOptions, number]>([
    ['an operation', OPERATION, 200],
    ['a health check', { url: '/livez' }, 200],
    ['an unknown path', { url: '/none' }, 404],
    ['an unknown path by OPTIONS', { method: 'OPTIONS', url: '/none' }, 404],
    ['a method that is not allowed', { method: 'PUT', url: '/graphql' }, 405],
    ['OPTIONS without a preflight', { method: 'OPTIONS', url: '/graphql' }, 405],
    ['an address that cannot be read', { url: '/graphql%' }, 400],
    ['an address that is not UTF-8', { method: 'POST', url: '/%ff' }, 400],
    [
      'a forged request',
      { url: '/graphql?query={__typename}', headers: { 'apollo-require-preflight': '' } },
      400,
    ],
    ['a body that is not JSON', { ...OPERATION, payload: '{', headers: JSON_TYPE }, 400],
    ['a wrong key', { ...OPERATION, headers: { 'x-api-key': 'wrong' } }, 401],
    ['a media type that is not sent', { ...OPERATION, headers: { accept: 'image/png' } }, 406],
    ['a body that is too large', { ...OPERATION, payload: `"${'x'.repeat(1000)}"`, headers: JSON_TYPE }, 413],
    [
      'a body of another type',
      { ...OPERATION, payload: 'x', headers: { 'content-type': 'text/plain' } },
      415,
    ],
    ['a compressed body', { ...OPERATION, headers: { ...JSON_TYPE, 'content-encoding': 'gzip' } }, 415],
  ])('can be read by scripts of an allowed origin, and of no other: %s', async (_name, request, status) => {
    await start({ ...LIMITS, RATE_LIMIT_PER_MINUTE: '0' });
    const send = async (origin: string | undefined) => {
      const headers = {
        'x-api-key': KEY,
        'apollo-require-preflight': '1',
        ...request.headers,
        ...(origin !== undefined && { origin }),
      };
      const response = await app?.server.inject({ ...request, headers });
      expect(response?.statusCode).toBe(status);
      expect(`${response?.headers.vary}`.split(', ').filter((name) => name === 'Origin')).toHaveLength(1);
      return response?.headers;
    };
    expect(await send(ALLOWED)).toMatchObject({
      'access-control-allow-origin': ALLOWED,
      'access-control-expose-headers': expect.stringContaining('Retry-After'),
      'x-content-type-options': 'nosniff',
    });
    for (const origin of ['https://b.example', undefined]) {
      expect(await send(origin)).not.toHaveProperty('access-control-allow-origin');
    }
  });

  it('can be read when it is a 429', async () => {
    const { server } = await start(LIMITS);
    const request = { ...OPERATION, headers: { origin: ALLOWED, 'x-api-key': KEY } };
    await server.inject(request);
    expect(await server.inject(request)).toMatchObject({
      statusCode: 429,
      headers: { 'access-control-allow-origin': ALLOWED, 'retry-after': expect.any(String) },
    });
  });

  it('can be read when it is a 503 because of the load', async () => {
    app = await startEmulatedApp({}, { CORS_ORIGINS: ALLOWED }, { checkOverload: () => 'heap' });
    const request = { ...OPERATION, headers: { origin: ALLOWED } };
    expect(await app.server.inject(request)).toMatchObject({
      statusCode: 503,
      headers: { 'access-control-allow-origin': ALLOWED },
    });
  });

  it('can be read when it is a 503 because the server is closing', async () => {
    const { server, holdUpstream, seeRequests } = await start({ CORS_ORIGINS: ALLOWED });
    const port = Number(new URL(await server.listen({ host: '127.0.0.1', port: 0 })).port);
    const toRequest = (body: string) => [
      rawPost([`Origin: ${ALLOWED}`, `Content-Length: ${body.length}`], body),
    ];
    const release = holdUpstream();
    const inFlight = sendRaw(port, toRequest('{"query":"{ trendingVideos { totalCount } }"}'));
    await seeRequests(1);
    const closed = server.close();
    let received: RawResponses;
    do received = await sendRaw(port, toRequest('{"query":"{ __typename }"}'), { responses: 1 });
    while (received.statuses[0] === 200);
    release();
    expect(received.statuses).toEqual([503]);
    expect(received.text).toMatch(/^access-control-allow-origin: https:\/\/a\.example$/im);
    expect((await inFlight).statuses).toEqual([200]);
    await closed;
    if (app) app.claimedElsewhere = 1;
  });

  it('has no headers of CORS where no origin is allowed', async () => {
    const { server } = await start({});
    for (const url of ['/graphql', '/none', '/graphql%', '/livez']) {
      for (const method of ['GET', 'OPTIONS'] as const) {
        const headers = { origin: ALLOWED, 'access-control-request-method': 'POST' };
        const response = await server.inject({ url, method, headers });
        expect(Object.keys(response.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
        expect(`${response.headers.vary}`).not.toContain('Origin');
      }
    }
  });
});

describe('a preflight', () => {
  const PREFLIGHT = { origin: ALLOWED, 'access-control-request-method': 'POST' };

  it.each(['/graphql', '/graphql/', '/livez', '/none', '/graphql%', '/%ff', '/*'])(
    'succeeds at any path, so that a script can read the response to the request itself: %s',
    async (url) => {
      const { server } = await start(LIMITS);
      const response = await server.inject({ method: 'OPTIONS', url, headers: PREFLIGHT });
      expect([response.statusCode, response.body]).toEqual([204, '']);
      expect(response.headers).toMatchObject({
        'access-control-allow-origin': ALLOWED,
        'access-control-allow-methods': 'GET, POST',
        vary: 'Origin, Access-Control-Request-Headers',
      });
    },
  );

  it.each([
    { ...PREFLIGHT, 'access-control-request-headers': 'content-type,x-api-key' },
    { ...PREFLIGHT, 'access-control-request-method': 'PUT' },
    { ...PREFLIGHT, origin: 'http://localhost:5173' },
    { ...PREFLIGHT, origin: 'https://b.example' },
    { ...PREFLIGHT, origin: 'null' },
  ])('gets what @fastify/cors would respond: %j', async (headers) => {
    const origins = [ALLOWED, /^http:\/\/localhost(:\d+)?$/];
    const oracle = Fastify();
    await oracle.register(cors, {
      origin: origins,
      methods: ['GET', 'POST'],
      maxAge: 3600,
      exposedHeaders: [
        'X-Request-Id',
        'Retry-After',
        'RateLimit-Limit',
        'RateLimit-Remaining',
        'RateLimit-Reset',
        'ETag',
      ],
    });
    const own = Fastify();
    const { toHeaders, respond } = createCors(origins);
    own.addHook('onRequest', (request, reply, done) => {
      reply.headers(toHeaders(request.headers.origin));
      if (!respond(request, reply)) done();
    });
    for (const server of [oracle, own]) server.get('/', () => 'text');
    for (const method of ['OPTIONS', 'GET'] as const) {
      const [expected, received] = await Promise.all(
        [oracle, own].map(async (server) => {
          const { statusCode, body, headers: all } = await server.inject({ method, url: '/', headers });
          const { date: _, ...others } = all;
          return { statusCode, body, others };
        }),
      );
      expect(received).toEqual(expected);
    }
  });
});
