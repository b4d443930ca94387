import { afterEach, describe, expect, it } from '@jest/globals';
import { type EmulatedApp, startEmulatedApp } from '../../support/app.ts';

const KEYS = ['key-of-the-board', 'key-of-the-app!'];
const QUERY = '{ trendingVideos { totalCount } }';

let app: EmulatedApp;

const post = (headers: Record<string, string>) =>
  app.server.inject({ method: 'POST', url: '/graphql', payload: { query: QUERY }, headers });

afterEach(() => app.close());

describe('with API_KEYS', () => {
  it.each([
    ['no key', {}],
    ['an unknown key', { 'x-api-key': 'key-of-the-boards' }],
    ['the name of a key', { 'x-api-key': 'board' }],
    ['a key after its name', { 'x-api-key': 'board:key-of-the-board' }],
    ['a key in another scheme', { authorization: `Basic ${KEYS[0]}` }],
    ['no key in the scheme', { authorization: 'Bearer ' }],
  ])('refuses a request with %s, even when the response is cached', async (_name, headers) => {
    app = await startEmulatedApp({}, { API_KEYS: `board:${KEYS[0]},${KEYS[1]}` });
    app.claimedElsewhere = (await post({ 'x-api-key': `${KEYS[0]}` })).json().extensions.upstream.requests;
    const response = await post(headers as Record<string, string>);
    expect(response.statusCode).toBe(401);
    expect(response.headers).toMatchObject({ 'www-authenticate': 'Bearer', 'cache-control': 'no-store' });
    expect(response.json()).toMatchObject({
      errors: [{ extensions: { code: 'UNAUTHENTICATED', retryable: false } }],
      extensions: { upstream: { requests: 0 } },
    });
    expect(app.bill).toHaveLength(1);
  });

  it.each(
    KEYS.flatMap((key) => [
      { 'x-api-key': key },
      { authorization: `Bearer ${key}` },
      { authorization: `bearer  ${key}` },
    ]),
  )('accepts a request with %p', async (headers) => {
    app = await startEmulatedApp({}, { API_KEYS: `board:${KEYS[0]}, ${KEYS[1]}` });
    const response = await post(headers as Record<string, string>);
    expect(response.json()).toMatchObject({ data: { trendingVideos: { totalCount: 500 } } });
    app.claimedElsewhere = 1;
  });

  it('requires no key for /livez', async () => {
    app = await startEmulatedApp({}, { API_KEYS: 'key-of-the-board' });
    expect((await app.server.inject('/livez')).statusCode).toBe(200);
  });
});
