import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { HTTPMethods } from 'fastify';
import { serverAudits } from 'graphql-http';
import { type EmulatedApp, startEmulatedApp } from '../support/app.ts';

const JSON_TYPE = 'application/json';
const GRAPHQL_TYPE = 'application/graphql-response+json';

let app: EmulatedApp;

async function start(variables: Record<string, string> = {}): Promise<string> {
  app = await startEmulatedApp({}, variables);
  return `${await app.server.listen({ port: 0 })}/graphql`;
}

afterEach(() => app.close());

describe('the audits of the GraphQL over HTTP specification', () => {
  /** They query by GET without the header that forged requests cannot have. Refusing that is allowed: it is a MAY. */
  const REFUSED_GETS = ['5A70', 'D6D5', '6A70'];

  it.each([
    ['in development', {}],
    ['in production', { NODE_ENV: 'production', INTROSPECTION: 'true' }],
  ])('pass without an error or a warning %s', async (_, variables) => {
    const url = await start(variables);
    const audits = serverAudits({ url });
    const results = await Promise.all(
      audits.map(async ({ id, name, fn }) => {
        const { status } = await fn();
        return { id, name, status };
      }),
    );
    expect(results).toHaveLength(61);
    expect(results.filter(({ status }) => status === 'error' || status === 'warn')).toEqual([]);
    expect(results.filter(({ status }) => status === 'notice').map(({ id }) => id)).toEqual(REFUSED_GETS);
    expect(app.bill).toEqual([]);
  });
});

describe('a document that cannot be executed', () => {
  const post = async (accept: string | undefined, payload: object) => {
    const headers = accept === undefined ? {} : { accept };
    const { statusCode, headers: received } = await app.server.inject({
      method: 'POST',
      url: '/graphql',
      headers,
      payload,
    });
    return [statusCode, received['content-type']];
  };
  const refused: [string, object][] = [
    ['does not parse', { query: '{' }],
    ['is not valid', { query: '{ none }' }],
    [
      'has a variable of the wrong type',
      { query: 'query ($n: Int) { trendingVideos(first: $n) { stale } }', variables: { n: 'x' } },
    ],
    ['has no operation of the requested name', { query: '{ __typename }', operationName: 'None' }],
    [
      'could cost too many credits',
      {
        query:
          '{ a: trendingVideos(last: 100) { nodes { id } } b: trendingVideos(last: 100) { nodes { id } } }',
      },
    ],
  ];

  beforeEach(() => start());

  it.each(refused)(
    'is a 400, but a 200 for clients that accept only application/json, when it %s',
    async (_, payload) => {
      expect(await post(undefined, payload)).toEqual([400, `${JSON_TYPE}; charset=utf-8`]);
      expect(await post('*/*', payload)).toEqual([400, `${JSON_TYPE}; charset=utf-8`]);
      expect(await post(GRAPHQL_TYPE, payload)).toEqual([400, `${GRAPHQL_TYPE}; charset=utf-8`]);
      expect(await post(`${GRAPHQL_TYPE}, ${JSON_TYPE};q=0.9`, payload)).toEqual([
        400,
        `${GRAPHQL_TYPE}; charset=utf-8`,
      ]);
      expect(await post(JSON_TYPE, payload)).toEqual([200, `${JSON_TYPE}; charset=utf-8`]);
      expect(await post('Application/JSON', payload)).toEqual([200, `${JSON_TYPE}; charset=utf-8`]);
      expect(await post(GRAPHQL_TYPE.toUpperCase(), payload)).toEqual([
        400,
        `${GRAPHQL_TYPE}; charset=utf-8`,
      ]);
    },
  );

  it.each([[{}], [{ query: 1 }], [[]], [{ query: '{ __typename }', variables: 1 }]])(
    'is a 400 for every client when it is not a GraphQL request: %j',
    async (payload) => {
      for (const accept of [undefined, GRAPHQL_TYPE, JSON_TYPE])
        expect((await post(accept, payload))[0]).toBe(400);
    },
  );
});

describe('a request that accepts no media type of this server', () => {
  const query = '{ trendingVideos { totalCount } }';

  it.each([
    'image/png',
    ',;=',
    'application/json;q=0',
    'application/*;q=0, text/html',
    '*/*, application/json;q=0, application/graphql-response+json;q=0',
  ])('is a 406, at no cost: %s', async (accept) => {
    await start({ NODE_ENV: 'production' });
    const headers = { accept, 'apollo-require-preflight': 'true' };
    for (const request of [{ method: 'POST', payload: { query } }, { query: { query } }] as const) {
      const response = await app.server.inject({ url: '/graphql', headers, ...request });
      expect(response.statusCode).toBe(406);
      expect(response.json().errors).toMatchObject([{ extensions: { code: 'BAD_REQUEST' } }]);
    }
    expect(app.bill).toEqual([]);
  });
});

describe('a media type', () => {
  const payload = '{"query":"{ __typename }"}';

  it.each([
    'application/JSON',
    'APPLICATION/JSON;CHARSET=UTF-8',
    'application/json; charset="UTF-8"',
    'application/json ; charset=utf-8',
  ])('may be in capitals, parameters too: a body of type %s', async (type) => {
    await start();
    const request = { method: 'POST', url: '/graphql', payload, headers: { 'content-type': type } } as const;
    expect((await app.server.inject(request)).json().data).toEqual({ __typename: 'Query' });
  });

  it.each([
    ['APPLICATION/JSON', JSON_TYPE],
    ['Application/GraphQL-Response+JSON;CHARSET=UTF-8', GRAPHQL_TYPE],
    ['TEXT/HTML, Application/JSON;Q=0.5', JSON_TYPE],
  ])('may be in capitals, parameters too: Accept: %s', async (accept, type) => {
    await start();
    const headers = { accept, 'content-type': JSON_TYPE };
    const response = await app.server.inject({ method: 'POST', url: '/graphql', payload, headers });
    expect([response.statusCode, response.headers['content-type']]).toEqual([200, `${type}; charset=utf-8`]);
  });
});

describe('the HTTP method', () => {
  const request = (method: HTTPMethods, url: string) => app.server.inject({ method: method as 'GET', url });

  it.each(['PUT', 'PATCH', 'DELETE', 'TRACE'] as const)(
    'is refused with 405 and the allowed methods: %s',
    async (method) => {
      await start({ NODE_ENV: 'production' });
      const { statusCode, headers } = await request(method, '/graphql?query={__typename}');
      expect([statusCode, headers.allow]).toEqual([405, 'GET, HEAD, POST']);
      expect((await request(method, '/livez')).headers.allow).toBe('GET, HEAD');
    },
  );

  it('may be OPTIONS only where other origins are allowed', async () => {
    await start({ NODE_ENV: 'production' });
    expect(await request('OPTIONS', '/graphql')).toMatchObject({
      statusCode: 405,
      headers: { allow: 'GET, HEAD, POST' },
    });
    await app.close();
    await start();
    expect((await request('PUT', '/graphql')).headers.allow).toBe('GET, HEAD, POST, OPTIONS');
  });

  it('may be OPTIONS only for CORS preflights; others are told which methods there are', async () => {
    for (const variables of [{}, { NODE_ENV: 'production' }]) {
      await start(variables);
      for (const headers of [
        {},
        { origin: 'http://localhost:5173' },
        { 'access-control-request-method': 'POST' },
      ]) {
        for (const [url, allow] of [
          ['/graphql', 'GET, HEAD, POST'],
          ['/livez', 'GET, HEAD'],
        ] as const) {
          const response = await app.server.inject({ method: 'OPTIONS', url, headers });
          expect([response.statusCode, response.headers.allow]).toEqual([405, allow]);
          expect(response.json()).toEqual({
            error: 'Method Not Allowed',
            message: expect.stringMatching(`^Expected one of the methods ${allow}.*, but got: OPTIONS`),
          });
        }
        const unknown = await app.server.inject({ method: 'OPTIONS', url: '/none', headers });
        expect([unknown.statusCode, unknown.json().error]).toEqual([404, 'Not Found']);
      }
      if (variables.NODE_ENV === undefined) await app.close();
    }
  });

  it('does not matter at an unknown path, which is a 404', async () => {
    await start();
    for (const url of ['/graphql/none', '/:a([', '/*', '/constructor']) {
      for (const method of ['GET', 'POST', 'PUT'] as const) {
        const { statusCode, headers } = await request(method, url);
        expect([statusCode, headers.allow]).toEqual([404, undefined]);
      }
    }
  });

  it('must not be GET for a mutation', async () => {
    await start();
    const { statusCode, headers } = await app.server.inject({
      url: '/graphql',
      query: { query: 'mutation { none }' },
      headers: { 'apollo-require-preflight': 'true', accept: JSON_TYPE },
    });
    expect([statusCode, headers.allow]).toEqual([405, 'POST']);
  });

  it('is checked before the body', async () => {
    await start();
    const headers = { 'content-type': 'application/x-of-a-kind' };
    const response = await app.server.inject({ method: 'PUT', url: '/graphql', headers, payload: 'x' });
    expect(response.statusCode).toBe(405);
  });
});
