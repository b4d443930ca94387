import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { buildClientSchema, getIntrospectionQuery, printSchema } from 'graphql';
import { createSubgraphSchema } from '../../src/graphql/schema/createSchema.ts';
import { type EmulatedApp, startEmulatedApp } from '../support/app.ts';
import { createTestClock } from '../support/clock.ts';
import { type RawAnswer, rawPost, sendRaw } from '../support/rawHttp.ts';

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
  it('says at /livez that it lives, for free', async () => {
    app = await startEmulatedApp();
    const response = await app.server.inject('/livez');
    expect([response.statusCode, response.json()]).toEqual([200, { status: 'ok' }]);
    expect(app.bill).toEqual([]);
  });

  it('says at /readyz that it is ready', async () => {
    app = await startEmulatedApp();
    const response = await app.server.inject('/readyz');
    expect([response.statusCode, response.json()]).toEqual([200, { status: 'ok', breaker: 'closed' }]);
  });

  it('stays ready while the budget is spent and KeyAPI refuses the account, and says so', async () => {
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

  it('answers GET with the header that a forged request cannot have', async () => {
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

  it.each([
    ['no JSON', { headers: { 'content-type': 'application/json' }, payload: '{"query":' }, 400],
    ['nothing', { headers: { 'content-type': 'application/json' }, payload: '' }, 400],
    [
      'a form',
      { headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: 'query=%7B' },
      415,
    ],
    [
      'JSON with a prototype in it',
      { headers: { 'content-type': 'application/json' }, payload: '{"__proto__":{}}' },
      400,
    ],
    [
      'too much',
      { headers: { 'content-type': 'application/json' }, payload: `"${'x'.repeat(2 ** 20)}"` },
      413,
    ],
    ['no query', { payload: {} }, 400],
    ['a query that is no text', { payload: { query: 5 } }, 400],
    ['a batch', { payload: [{ query: '{ __typename }' }] }, 400],
  ])('refuses a body that is %s, in the form of a GraphQL answer', async (_name, request, status) => {
    app = await startEmulatedApp();
    const response = await app.server.inject({ method: 'POST', url: '/graphql', ...request });
    expect(response.statusCode).toBe(status);
    expect(response.json()).toEqual({
      errors: [{ message: expect.any(String), extensions: { code: 'BAD_REQUEST', retryable: false } }],
      extensions: NOTHING_SPENT,
    });
  });

  it('understands automatic persisted queries', async () => {
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

it('tells a client whose request is in flight when it closes not to keep the connection', async () => {
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
  ['lets an operation end that is answered within 10 seconds', 9_999, 200],
  ['cuts one that is not', 10_000, 'cut'],
] as const)('closes, and %s', async (_name, ms, outcome) => {
  const clock = createTestClock();
  app = await startEmulatedApp({}, {}, { clock });
  const release = app.holdUpstream();
  const address = new URL(await app.server.listen({ host: '127.0.0.1', port: 0 }));
  const answered = fetch(new URL('/graphql', address), {
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
  if (outcome === 200) release();
  expect(await answered).toBe(outcome);
  release();
  await closed;
  app.claimedElsewhere = 1;
});

it('tells those who come while it is busy that it closes, instead of cutting them off', async () => {
  const POST = rawPost(['Content-Length: 26'], '{"query":"{ __typename }"}');
  const steps: (() => void)[] = [];
  const checkOverload = () => void steps.shift()?.();
  const clock = createTestClock();
  app = await startEmulatedApp({}, { RESPONSE_CACHE: 'false' }, { checkOverload, clock });
  const port = Number(new URL(await app.server.listen({ host: '127.0.0.1', port: 0 })).port);
  const [first, second] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  for (const socket of [first, second]) await once(socket.resume(), 'connect');

  // The first operation takes longer than the last call for what was sent before. The second one is read when that is
  // over, and meanwhile others come.
  steps.push(() => {
    second.write(POST);
    clock.advance(700);
    // Held up for longer than the pauses in which a closing server looks for what comes.
    const blockedUntil = performance.now() + 25;
    while (performance.now() < blockedUntil);
  });
  const late = new Promise<readonly RawAnswer[]>((resolve) => {
    steps.push(() => resolve(Promise.all(Array.from({ length: 20 }, () => sendRaw(port, [POST])))));
  });
  first.write(POST);
  await app.server.close();
  expect((await late).map(({ statuses }) => statuses)).toEqual(Array(20).fill([503]));
});

describe('development', () => {
  it('opens Apollo Sandbox to a browser', async () => {
    app = await startEmulatedApp();
    // As browsers ask for a page.
    const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';
    const response = await app.server.inject({ url: '/graphql', headers: { accept } });
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toMatch(/^text\/html/);
    expect(response.body).toMatch(/embeddable-sandbox/);
  });

  it('shows its schema to Apollo Sandbox, as that asks for it', async () => {
    app = await startEmulatedApp();
    const response = await app.server.inject({
      method: 'POST',
      url: '/graphql',
      headers: { origin: 'https://studio.apollographql.com', accept: '*/*' },
      payload: { operationName: 'IntrospectionQuery', query: getIntrospectionQuery(), variables: {} },
    });
    expect(response.headers['access-control-allow-origin']).toBe('https://studio.apollographql.com');
    const { data, errors } = response.json();
    expect(errors).toBeUndefined();
    expect(printSchema(buildClientSchema(data))).toBe(printSchema(createSubgraphSchema()));
  });

  it.each(['https://studio.apollographql.com', 'http://localhost:5173', 'http://127.0.0.1:3000'])(
    'lets %s send operations',
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
    'lets %s send none',
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
  it('shows no schema, no Sandbox and no hints, and allows no other origin', async () => {
    app = await startEmulatedApp({}, { NODE_ENV: 'production' });
    expect((await app.query('{ __schema { types { name } } }')).errors).toMatchObject([
      { message: 'The schema is not shown here (INTROSPECTION)' },
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

describe('hints at the schema', () => {
  it.each<[Record<string, string>, boolean]>([
    [{}, true],
    [{ INTROSPECTION: 'false' }, false],
    [{ NODE_ENV: 'production' }, false],
    [{ NODE_ENV: 'production', INTROSPECTION: 'true' }, true],
  ])('are given where the schema is shown: with %j', async (variables, isShown) => {
    app = await startEmulatedApp({}, variables);
    const { errors } = await app.query('{ trendingVidoes { nodes { id } } }');
    expect(errors?.[0]?.message.includes('Did you mean')).toBe(isShown);
    const { errors: refusals = [] } = await app.query(
      '{ ...F } fragment F on Query { s: __schema { types { name } } }',
    );
    expect(refusals).toHaveLength(isShown ? 0 : 1);
  });
});
