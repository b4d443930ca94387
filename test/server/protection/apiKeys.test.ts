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
    ['none', {}],
    ['another', { 'x-api-key': 'key-of-the-boards' }],
    ['the name of one', { 'x-api-key': 'board' }],
    ['the name beside one', { 'x-api-key': 'board:key-of-the-board' }],
    ['one in another scheme', { authorization: `Basic ${KEYS[0]}` }],
    ['nothing in the scheme', { authorization: 'Bearer ' }],
  ])('a request with %s is refused, also where the answer is kept', async (_name, headers) => {
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
  )('a request with %p is answered', async (headers) => {
    app = await startEmulatedApp({}, { API_KEYS: `board:${KEYS[0]}, ${KEYS[1]}` });
    const response = await post(headers as Record<string, string>);
    expect(response.json()).toMatchObject({ data: { trendingVideos: { totalCount: 500 } } });
    app.claimedElsewhere = 1;
  });

  it('asks for none to say that the process lives', async () => {
    app = await startEmulatedApp({}, { API_KEYS: 'key-of-the-board' });
    expect((await app.server.inject('/livez')).statusCode).toBe(200);
  });
});
