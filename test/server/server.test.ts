import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { InjectOptions } from 'fastify';
import { buildClientSchema, getIntrospectionQuery, printSchema } from 'graphql';
import { createSubgraphSchema } from '../../src/graphql/schema/createSchema.ts';
import { type EmulatedApp, startEmulatedApp } from '../support/app.ts';
import { createTestClock } from '../support/clock.ts';
import { type RawResponses, rawPost, sendRaw } from '../support/rawHttp.ts';

const NOTHING_SPENT = {
  upstream: {
    source: 'keyapi',
    requests: 0,
    credits: 0,
    pages: { cached: 0, stale: 0, shared: 0, fetched: 0 },
  },
};

let app: EmulatedApp;

afterEach(() => app.close());

describe('the HTTP server', () => {
  it('reports at /livez that the process runs, at no cost', async () => {
    app = await startEmulatedApp();
    const response = await app.server.inject('/livez');
    expect([response.statusCode, response.json()]).toEqual([200, { status: 'ok' }]);
    expect(app.bill).toEqual([]);
  });

  it('reports at /readyz that it is ready', async () => {
    app = await startEmulatedApp();
    const response = await app.server.inject('/readyz');
    expect([response.statusCode, response.json()]).toEqual([200, { status: 'ok', breaker: 'closed' }]);
  });

  it('stays ready while the budget is spent and KeyAPI refuses the account, and reports both', async () => {
    app = await startEmulatedApp({ credits: 2 }, { CREDIT_BUDGET_PER_DAY: '4' });
    const read = async () => {
      const response = await app.server.inject('/readyz');
      return [response.statusCode, response.json()];
    };
    expect(await read()).toEqual([200, { status: 'ok', breaker: 'closed', budget: 'left' }]);
    await app.query('{ trendingVideos { totalCount } }');
    await app.query('{ trendingVideos(region: "DE") { totalCount } }');
    expect(await read()).toEqual([200, { status: 'ok', breaker: 'open', budget: 'spent' }]);
  });

  it('executes a GET request only with a header that a forged request cannot have', async () => {
    app = await startEmulatedApp();
    const query = { query: '{ trendingVideos(first: 1) { nodes { itemId } } }' };
    const plain = await app.server.inject({ url: '/graphql', query });
    expect(plain.statusCode).toBe(400);
    expect(plain.json()).toMatchObject({
      errors: [
        { message: expect.stringMatching(/CSRF/), extensions: { code: 'BAD_REQUEST', retryable: false } },
      ],
      extensions: NOTHING_SPENT,
    });
    expect(app.bill).toEqual([]);
    const safe = await app.server.inject({
      url: '/graphql',
      query,
      headers: { 'apollo-require-preflight': '1' },
    });
    app.claimedElsewhere = 1;
    expect(safe.json()).toMatchObject({
      data: { trendingVideos: { nodes: [{ itemId: '7933310081972815260' }] } },
    });
  });

  it.each<[string, InjectOptions, number, RegExp?]>([
    ['not JSON', { headers: { 'content-type': 'application/json' }, payload: '{"query":' }, 400],
    ['empty', { headers: { 'content-type': 'application/json' }, payload: '' }, 400],
    [
      'a form',
      { headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: 'query=%7B' },
      415,
      /^Expected a body of content-type application\/json, but got/,
    ],
    [
      'JSON with a __proto__ key',
      { headers: { 'content-type': 'application/json' }, payload: '{"__proto__":{}}' },
      400,
    ],
    [
      'too large',
      { headers: { 'content-type': 'application/json' }, payload: `"${'x'.repeat(2 ** 20)}"` },
      413,
    ],
    ['an object without a query', { payload: {} }, 400],
    ['an object whose query is not a string', { payload: { query: 5 } }, 400],
    ['a batch', { payload: [{ query: '{ __typename }' }] }, 400],
  ])(
    'refuses a body that is %s, in the form of a GraphQL response',
    async (_name, request, status, message = /./) => {
      app = await startEmulatedApp();
      const response = await app.server.inject({ method: 'POST', url: '/graphql', ...request });
      expect(response.statusCode).toBe(status);
      expect(response.json()).toEqual({
        errors: [
          { message: expect.stringMatching(message), extensions: { code: 'BAD_REQUEST', retryable: false } },
        ],
        extensions: NOTHING_SPENT,
      });
    },
  );

  it('supports automatic persisted queries', async () => {
    app = await startEmulatedApp();
    const query = '{ __typename }';
    const sha256Hash = createHash('sha256').update(query).digest('hex');
    const extensions = { persistedQuery: { version: 1, sha256Hash } };
    const send = async (payload: object) =>
      (await app.server.inject({ method: 'POST', url: '/graphql', payload })).json();
    expect(await send({ extensions })).toMatchObject({
      errors: [{ message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }],
    });
    expect(await send({ query, extensions })).toMatchObject({ data: { __typename: 'Query' } });
    expect(await send({ extensions })).toMatchObject({ data: { __typename: 'Query' } });
  });
});

it('closes the connection of a request that is in flight when the server closes, after its response', async () => {
  app = await startEmulatedApp();
  const release = app.holdUpstream();
  const address = new URL(await app.server.listen({ host: '127.0.0.1', port: 0 }));
  const headers = { 'content-type': 'application/json' };
  const request = httpRequest(new URL('/graphql', address), {
    method: 'POST',
    headers,
    agent: new Agent({ keepAlive: true }),
  });
  request.end(JSON.stringify({ query: '{ trendingVideos { totalCount } }' }));
  await app.seeRequests(1);
  const closed = app.server.close();
  while ((await fetch(new URL('/readyz', address))).status === 200);
  release();
  const [response] = await once(request, 'response');
  expect([response.statusCode, response.headers.connection]).toEqual([200, 'close']);
  response.resume();
  await closed;
  app.claimedElsewhere = 1;
});

it.each([
  ['completes an operation that takes less than 10 seconds', 9_999, 200],
  ['cuts off an operation that takes longer', 10_000, 'cut'],
] as const)('while closing, %s', async (_name, ms, expected) => {
  const clock = createTestClock();
  app = await startEmulatedApp({}, {}, { clock });
  const release = app.holdUpstream();
  const address = new URL(await app.server.listen({ host: '127.0.0.1', port: 0 }));
  const outcome = fetch(new URL('/graphql', address), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ trendingVideos { totalCount } }' }),
  }).then(
    ({ status }) => status,
    () => 'cut',
  );
  await app.seeRequests(1);
  const closed = app.server.close();
  while ((await fetch(new URL('/readyz', address))).status === 200);
  clock.advance(ms);
  if (expected === 200) release();
  expect(await outcome).toBe(expected);
  release();
  await closed;
  app.claimedElsewhere = 1;
});

it('refuses requests that arrive while it is busy closing, instead of cutting them off', async () => {
  const POST = rawPost(['Content-Length: 26'], '{"query":"{ __typename }"}');
  const steps: (() => void)[] = [];
  const checkOverload = () => void steps.shift()?.();
  const clock = createTestClock();
  app = await startEmulatedApp({}, { RESPONSE_CACHE: 'false' }, { checkOverload, clock });
  const port = Number(new URL(await app.server.listen({ host: '127.0.0.1', port: 0 })).port);
  const [first, second] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  for (const socket of [first, second]) await once(socket.resume(), 'connect');

  // The first operation takes longer than a closing server goes on reading what was sent before. The second request is
  // read after that, and more requests arrive in the meantime.
  steps.push(() => {
    second.write(POST);
    clock.advance(700);
    // Blocks the event loop for longer than a closing server pauses between its checks for new arrivals.
    const blockedUntil = performance.now() + 25;
    while (performance.now() < blockedUntil);
  });
  const late = new Promise<readonly RawResponses[]>((resolve) => {
    steps.push(() => resolve(Promise.all(Array.from({ length: 20 }, () => sendRaw(port, [POST])))));
  });
  first.write(POST);
  await app.server.close();
  expect((await late).map(({ statuses }) => statuses)).toEqual(Array(20).fill([503]));
});

describe('development', () => {
  it('serves Apollo Sandbox to a browser', async () => {
    app = await startEmulatedApp();
    // What browsers send when they request a page.
    const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';
    const response = await app.server.inject({ url: '/graphql', headers: { accept } });
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toMatch(/^text\/html/);
    expect(response.body).toMatch(/embeddable-sandbox/);
  });

  it('returns the schema to the introspection query of Apollo Sandbox', async () => {
    app = await startEmulatedApp();
    const query = getIntrospectionQuery({ specifiedByUrl: true, schemaDescription: true });
    const response = await app.server.inject({
      method: 'POST',
      url: '/graphql',
      headers: { origin: 'https://studio.apollographql.com', accept: '*/*' },
      payload: { operationName: 'IntrospectionQuery', query, variables: {} },
    });
    expect(response.headers['access-control-allow-origin']).toBe('https://studio.apollographql.com');
    const { data, errors } = response.json();
    expect(errors).toBeUndefined();
    expect(printSchema(buildClientSchema(data))).toBe(printSchema(createSubgraphSchema()));
  });

  it.each(['https://studio.apollographql.com', 'http://localhost:5173', 'http://127.0.0.1:3000'])(
    'allows %s to send operations',
    async (origin) => {
      app = await startEmulatedApp();
      const preflight = await app.server.inject({
        method: 'OPTIONS',
        url: '/graphql',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type,apollo-require-preflight,x-apollo-operation-name',
        },
      });
      expect(preflight.statusCode).toBe(204);
      expect(preflight.headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-allow-headers': 'content-type,apollo-require-preflight,x-apollo-operation-name',
      });
      expect(preflight.headers['access-control-allow-credentials']).toBeUndefined();
    },
  );

  it.each(['https://evil.example', 'http://localhost.evil.example', 'null'])(
    'does not allow %s to send operations',
    async (origin) => {
      app = await startEmulatedApp();
      const response = await app.server.inject({
        method: 'OPTIONS',
        url: '/graphql',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
      expect(response.headers['access-control-allow-origin']).toBeUndefined();
    },
  );
});

describe('production', () => {
  it('has no introspection, Sandbox or suggestions of names, and allows no other origin', async () => {
    app = await startEmulatedApp({}, { NODE_ENV: 'production' });
    expect((await app.query('{ __schema { types { name } } }')).errors).toMatchObject([
      { message: 'Introspection is disabled (INTROSPECTION)' },
    ]);
    const { errors } = await app.query('{ trendingVidoes { nodes { id } } }');
    expect(errors?.[0]?.message).toBe('Cannot query field "trendingVidoes" on type "Query".');
    const long = 'Did you mean '.repeat(60_000);
    expect((await app.query(`{ trendingVideos(orderBy: "${long}") { __typename } }`)).errors).toHaveLength(1);
    const query = 'query ($o: TrendingOrder!) { trendingVideos(orderBy: $o) { __typename } }';
    expect((await app.query(query, { o: 'VIEW' })).errors?.[0]?.message).toBe(
      'Variable "$o" got invalid value "VIEW"; Value "VIEW" does not exist in "TrendingOrder" enum.',
    );
    const page = await app.server.inject({ url: '/graphql', headers: { accept: 'text/html' } });
    expect(page.body).not.toMatch(/sandbox/i);
    const cross = await app.server.inject({ url: '/livez', headers: { origin: 'http://localhost:3000' } });
    expect(cross.headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('suggestions of names in the schema', () => {
  it.each<[Record<string, string>, boolean]>([
    [{}, true],
    [{ INTROSPECTION: 'false' }, false],
    [{ NODE_ENV: 'production' }, false],
    [{ NODE_ENV: 'production', INTROSPECTION: 'true' }, true],
  ])('are given only where introspection is allowed: %j', async (variables, isAllowed) => {
    app = await startEmulatedApp({}, variables);
    const { errors } = await app.query('{ trendingVidoes { nodes { id } } }');
    expect(errors?.[0]?.message.includes('Did you mean')).toBe(isAllowed);
    const { errors: refusals = [] } = await app.query(
      '{ ...F } fragment F on Query { s: __schema { types { name } } }',
    );
    expect(refusals).toHaveLength(isAllowed ? 0 : 1);
  });
});
