import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { InjectOptions } from 'fastify';
import type { AppEvent } from '../../src/observe/appEvent.ts';
import { type EmulatedApp, startEmulatedApp } from '../support/app.ts';

const QUERY = '{ trendingVideos(first: 1) { nodes { itemId } } }';

let app: EmulatedApp;
let events: AppEvent[];

beforeEach(async () => {
  events = [];
  app = await startEmulatedApp({}, {}, { onEvent: (event) => void events.push(event) });
});

afterEach(() => app.close());

/** The responses to a request at a path, and at the path with a slash after it, without what differs each time. */
const sendBoth = (path: string, request: InjectOptions = {}) =>
  Promise.all(
    [path, `${path}/`].map(async (url) => {
      const response = await app.server.inject({ ...request, url });
      const { date, 'x-request-id': id, ...headers } = response.headers;
      return {
        status: response.statusCode,
        headers,
        body: response.body.replaceAll(/[\da-f]{32,}/g, 'nonce'),
      };
    }),
  );

it.each<[string, string, InjectOptions, number]>([
  ['an operation', '/graphql', { method: 'POST', payload: { query: '{ __typename }' } }, 200],
  [
    'an operation by GET',
    '/graphql',
    { query: { query: '{ __typename }' }, headers: { 'apollo-require-preflight': '1' } },
    200,
  ],
  ['HEAD', '/graphql', { method: 'HEAD', headers: { accept: 'text/html' } }, 200],
  ['the page of Sandbox', '/graphql', { headers: { accept: 'text/html' } }, 200],
  ['a method that is not allowed', '/graphql', { method: 'PUT' }, 405],
  ['OPTIONS', '/graphql', { method: 'OPTIONS' }, 405],
  ['a document that does not parse', '/graphql', { method: 'POST', payload: { query: '{' } }, 400],
  ['a forged request', '/graphql', { query: { query: '{ __typename }' } }, 400],
  ['a body of another type', '/graphql', { method: 'POST', payload: 'x' }, 415],
  ['GraphiQL', '/graphiql', {}, 200],
  ['a health check', '/livez', {}, 200],
  ['readiness', '/readyz', {}, 200],
  ['an unknown path', '/none', {}, 404],
])('makes no difference: %s', async (_name, path, request, status) => {
  const [plain, slash] = await sendBoth(path, request);
  expect(plain?.status).toBe(status);
  expect(slash).toEqual(plain);
});

it('makes no difference to /metrics', async () => {
  for (const { status, body } of await sendBoth('/metrics')) {
    expect([status, body]).toEqual([200, expect.stringMatching(/^# HELP/)]);
  }
});

it('makes no difference to pages, which are bought once, and to cached responses', async () => {
  for (const url of ['/graphql', '/graphql/', '/graphql/']) {
    const response = await app.server.inject({ method: 'POST', url, payload: { query: QUERY } });
    app.claimedElsewhere += response.json().extensions.upstream.requests;
    expect(response.json().data.trendingVideos.nodes).toHaveLength(1);
  }
  expect(app.bill).toHaveLength(1);
  const origins = events.flatMap((event) => (event.type === 'response' ? [event.origin] : []));
  expect(origins).toEqual(['made', 'made', 'kept']);
});

it('makes no difference to the event of a refusal', async () => {
  await sendBoth('/graphql', { method: 'POST', payload: 'x' });
  const refused = events.filter((event) => event.type === 'response' && event.origin === 'refused');
  expect(refused).toMatchObject(Array(2).fill({ status: 415, codes: ['BAD_REQUEST'] }));
});
